// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_NORM_F32_NORM_F32_H_
#define MEDULLA_KERNELS_NORM_F32_NORM_F32_H_

#include <cstddef>
#include <span>

#include "kernels/row.h"

// Normalization, ordered FP32. Equal bytes from every row of kernels.inc; of a NaN neither sign nor
// payload is promised. y may be x (with its strides), else they do not overlap. Nothing outside the
// values that are named is read or written.
namespace medulla {

// Rows of n channels, by constants: y[c] = clip(fma(fl(x[c] - mean[c]), k[c], bias[c]), lo, hi).
struct BatchNormF32 {
  size_t n = 0;
  const float* mean = nullptr;
  const float* k = nullptr;  // fl(scale / fl(sqrt(fl(var + epsilon))))
  const float* bias = nullptr;
  float lo = 0;  // -inf, +inf: no clamp
  float hi = 0;
  size_t x_stride = 0;  // floats from row to row
  size_t y_stride = 0;
};

// `runs` runs of n values, `stride` apart in x and in y, one behind the other: with m their mean,
// S / count, S their sum as row_sum.h takes it, and V the same sum of fl(d * d), d = fl(x - m),
//   r = fl(1 / fl(sqrt(fl(fl(V / count) + epsilon))))
//   y = fma(fl(d * r), scale[i], bias[i]), without a bias fl(fl(d * r) * scale[i]), i < n.
struct RunNormF32 {
  size_t runs = 1;
  size_t n = 0;
  size_t stride = 0;
  float epsilon = 0;
  bool centered = true;  // false: m = 0
  const float* scale = nullptr;
  const float* bias = nullptr;  // null: none
};

struct NormF32Kernel {
  void (*batch)(const BatchNormF32& p, const float* x, float* y, size_t rows);
  void (*runs)(const RunNormF32& p, const float* x, float* y);
  // The same with n = 1 for `count` neighbours: neighbour i has x + i, y + i, scale[i] and bias[i].
  void (*neighbours)(const RunNormF32& p, const float* x, float* y, size_t count);
};

using NormF32Row = Row<NormF32Kernel, KernelRequest>;
std::span<const NormF32Row> norm_f32_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_NORM_F32_NORM_F32_H_
