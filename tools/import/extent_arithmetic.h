// SPDX-License-Identifier: Apache-2.0
// What exporters compute with extents that vary, as far as it holds for each of their values.
#ifndef MEDULLA_TOOLS_IMPORT_EXTENT_ARITHMETIC_H_
#define MEDULLA_TOOLS_IMPORT_EXTENT_ARITHMETIC_H_

#include <optional>

#include "tools/import/onnx.h"

namespace medulla::tools {

// Input i as extents, from a constant too; refuses what is neither.
std::vector<Extent> extents_of(const OnnxNode& node, size_t i);

// "'N'", or "'N' / 2" behind steps.
std::string extent_text(const Extent& extent);
// Whether it is at most the symbol's own extent, whatever that is.
bool never_grows(const Extent& extent);
// a - b, where b is a number or a half of a.
std::optional<Extent> difference(const Extent& a, const Extent& b);

// What Add, Sub, Mul or Div make of extents, broadcast; nothing where it is no extent.
std::optional<std::vector<Extent>> computed_extents(const OnnxNode& node);

// Resize to sizes of which some vary: by whole factors.
int32_t resized(const OnnxNode& node, Conversion convert);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_EXTENT_ARITHMETIC_H_
