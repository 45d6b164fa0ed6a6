// SPDX-License-Identifier: Apache-2.0
// How the conversion functions of every importer decline.
#ifndef MEDULLA_TOOLS_IMPORT_REFUSE_H_
#define MEDULLA_TOOLS_IMPORT_REFUSE_H_

#include <string>
#include <utility>

namespace medulla::tools {

// Thrown by a conversion function: why this node cannot be taken.
struct Refused {
  std::string attribute;
  std::string reason;
  std::string rewrite;
};
[[noreturn]] inline void refuse(std::string reason, std::string rewrite = "",
                                std::string attribute = "") {
  throw Refused{std::move(attribute), std::move(reason), std::move(rewrite)};
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_REFUSE_H_
