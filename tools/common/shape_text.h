// SPDX-License-Identifier: Apache-2.0
// Shapes as all of the tools write them.
#ifndef MEDULLA_TOOLS_COMMON_SHAPE_TEXT_H_
#define MEDULLA_TOOLS_COMMON_SHAPE_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace medulla::tools {

// "[1,28,28,3]"; extents may be words, such as names of dimensions.
inline std::string shape_text(const std::vector<std::string>& extents) {
  std::string text;
  for (const std::string& extent : extents) text += (text.empty() ? "" : ",") + extent;
  return "[" + text + "]";
}
inline std::string shape_text(const std::vector<int64_t>& extents) {
  std::vector<std::string> words;
  for (const int64_t extent : extents) words.push_back(std::to_string(extent));
  return shape_text(words);
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_SHAPE_TEXT_H_
