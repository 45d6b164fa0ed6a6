// SPDX-License-Identifier: Apache-2.0
// One input for two models.
#ifndef MEDULLA_TOOLS_COMMAND_FEED_H_
#define MEDULLA_TOOLS_COMMAND_FEED_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/command/difference.h"
#include "tools/command/engine.h"

namespace medulla::tools {

// A tensor that can be read after a run.
std::optional<Numbers> read_tensor(const mdl_session* session, const std::string& name);

// Fills the inputs of the first model from files, as `run` does; those without one get numbers
// that their range holds, by the seed. Gives all back by name.
std::map<std::string, Numbers> feed(const Engine& engine, const std::vector<std::string>& files,
                                    uint32_t seed);

// The same into the reference, in its layout. What only that has is a state of the first: zeros.
void feed_like(const Engine& engine, const std::map<std::string, Numbers>& fed);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_FEED_H_
