// SPDX-License-Identifier: Apache-2.0
// Tensors that follow extents which can vary, made at run time by operators that are there anyway:
// an extent shows in the shape of another tensor, with which they broadcast.
#ifndef MEDULLA_TOOLS_IMPORT_EXTENTS_H_
#define MEDULLA_TOOLS_IMPORT_EXTENTS_H_

#include "tools/import/onnx.h"

namespace medulla::tools {

// `x` broadcast to the shape. All of these refuse an extent that no tensor shows.
int32_t expanded(Builder& build, int32_t x, std::vector<Extent> shape);
// 0, 1, ... below the extent, as int64.
int32_t counted(Builder& build, const Extent& extent);
// The extents themselves; `dims` is empty for a scalar.
int32_t values_of_extents(Builder& build, const std::vector<Extent>& extents, Dims dims,
                          mdl_dtype dtype);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_EXTENTS_H_
