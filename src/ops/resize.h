// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_RESIZE_H_
#define MEDULLA_SRC_OPS_RESIZE_H_

#include "src/ops/op.h"

namespace medulla {

// What one index of an output dimension reads: linear fl(fl(x[low] * low_weight) + fl(x[high] *
// high_weight)), nearest x[low].
struct ResizeTap {
  int64_t low;
  int64_t high;
  float low_weight;
  float high_weight;
};

struct Resize {
  enum class Coordinates : uint8_t {
    half_pixel,
    pytorch_half_pixel,
    half_pixel_symmetric,
    align_corners,
    asymmetric,
    tf_half_pixel_for_nn,
  };
  enum class Nearest : uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil };

  bool linear;
  Coordinates coordinates;
  Nearest nearest;
  double scales[MDL_MAX_RANK];
  double extents[MDL_MAX_RANK] = {};  // of the output before they were cut to integers
  mdl_shape input;
  mdl_shape output;

  // Whether the dimension is resized at all; the others are read as they stand.
  bool changes(uint32_t d) const { return output.dims[d] != input.dims[d] || scales[d] != 1.0; }
  ResizeTap tap(uint32_t d, int64_t index) const;
};

mdl_status read_resize(const NodeView& node, const mdl_shape& x, Resize* resize, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_RESIZE_H_
