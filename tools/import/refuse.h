// SPDX-License-Identifier: Apache-2.0
// How the conversion functions of every importer decline.
#ifndef MEDULLA_TOOLS_IMPORT_REFUSE_H_
#define MEDULLA_TOOLS_IMPORT_REFUSE_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace medulla::tools {

// Thrown by a conversion function: why this node cannot be taken.
struct Refused {
  std::string attribute;
  std::string reason;
  std::string rewrite;
  int32_t parameter = -1;  // the tensor that would have to be a constant
};
[[noreturn]] inline void refuse(std::string reason, std::string rewrite = "",
                                std::string attribute = "") {
  throw Refused{std::move(attribute), std::move(reason), std::move(rewrite), -1};
}

// A number as a message has it: its magnitude shows, however small.
inline std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_REFUSE_H_
