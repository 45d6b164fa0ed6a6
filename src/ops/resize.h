// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_RESIZE_H_
#define MEDULLA_SRC_OPS_RESIZE_H_

#include <algorithm>

#include "src/ops/op.h"
#include "src/ops/walk.h"

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

// The taps of every index of each dimension and their weights, in the caller's memory of bytes().
struct ResizeTaps {
  ResizeTaps(const Resize& of, void* memory);
  static size_t bytes(const Resize& resize);

  const Resize& resize;
  Strides strides;  // of the input
  const ResizeTap* taps[MDL_MAX_RANK] = {};
  const float* weights[MDL_MAX_RANK] = {};
  int64_t width[MDL_MAX_RANK] = {};
};

// The value at output[index...] from dimension d on; the last resized dimension comes first.
// load(i) is element i of the input, `at` the place of the dimensions before d.
template <class Load>
float interpolate(const ResizeTaps& t, const int64_t* index, Load load, uint32_t d = 0,
                  int64_t at = 0) {
  if (d == t.resize.output.rank) return load(at);
  const auto value = [&](int64_t i) {
    return interpolate(t, index, load, d + 1, at + i * t.strides.of[d]);
  };
  if (!t.resize.changes(d)) return value(index[d]);
  const int64_t first = t.taps[d][index[d]].first;
  const int64_t last = t.resize.input.dims[d] - 1;
  const float* weights = t.weights[d] + index[d] * t.width[d];
  float sum = value(std::clamp(first, int64_t{0}, last)) * weights[0];
  for (int64_t k = 1; k < t.width[d]; ++k) {
    sum = sum + value(std::clamp(first + k, int64_t{0}, last)) * weights[k];
  }
  return sum;
}

mdl_status read_resize(const NodeView& node, const mdl_shape& x, Resize* resize, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_RESIZE_H_
