// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_RESIZE_H_
#define MEDULLA_SRC_OPS_RESIZE_H_

#include "src/ops/op.h"

namespace medulla {

// What one index of an output dimension reads: weight k goes with the input's index first + k, held
// inside the input.
struct ResizeTap {
  int64_t first;
  bool outside;  // the value is extrapolated: nothing is read
};

struct Resize {
  enum class Mode : uint8_t { nearest, linear, cubic };
  enum class Coordinates : uint8_t {
    half_pixel,
    pytorch_half_pixel,
    half_pixel_symmetric,
    align_corners,
    asymmetric,
    tf_half_pixel_for_nn,
    tf_crop_and_resize,
  };
  enum class Nearest : uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil };

  Mode mode;
  Coordinates coordinates;
  Nearest nearest;
  bool antialias;
  bool exclude_outside;
  double cubic_a;
  float extrapolation;
  double scales[MDL_MAX_RANK];
  double extents[MDL_MAX_RANK];  // of the output before they were made integers
  double begins[MDL_MAX_RANK];   // the region that is read, 0 to 1 for all of it
  double ends[MDL_MAX_RANK];
  mdl_shape input;
  mdl_shape output;

  // Whether the dimension is resized at all; the others are read as they stand.
  bool changes(uint32_t d) const {
    return output.dims[d] != input.dims[d] || scales[d] != 1.0 || begins[d] != 0 || ends[d] != 1;
  }
  // The number of weights of an index of dimension d, which has output.
  int64_t width(uint32_t d) const;
  ResizeTap tap(uint32_t d, int64_t index, float* weights) const;
};

mdl_status read_resize(const NodeView& node, const mdl_shape& x, Resize* resize, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_RESIZE_H_
