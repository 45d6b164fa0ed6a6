// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TOOLS_COMMAND_FAILURE_H_
#define MEDULLA_TOOLS_COMMAND_FAILURE_H_

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace medulla::tools {

// Work that failed, with what is known all the same: under --json it is printed beside "error".
class Failure : public std::runtime_error {
 public:
  Failure(const std::string& text, nlohmann::json known)
      : std::runtime_error(text), known_(std::move(known)) {}
  const nlohmann::json& known() const { return known_; }

 private:
  nlohmann::json known_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_FAILURE_H_
