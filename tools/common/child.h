// SPDX-License-Identifier: Apache-2.0
// Calls into libraries that may crash on what they are given.
#ifndef MEDULLA_TOOLS_COMMON_CHILD_H_
#define MEDULLA_TOOLS_COMMON_CHILD_H_

#include <functional>
#include <string>

namespace medulla::tools {

// What `make` returns, called in a child process. std::runtime_error with the text of an exception
// of `make`, or that it crashed or did not end within a minute. What it changes is lost.
std::string in_child(const std::function<std::string()>& make);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_CHILD_H_
