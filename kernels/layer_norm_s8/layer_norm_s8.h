// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_LAYER_NORM_S8_LAYER_NORM_S8_H_
#define MEDULLA_KERNELS_LAYER_NORM_S8_LAYER_NORM_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// Rows of n values d = x - zero_point_x, with their exact sums S1 of d and S2 of d * d, and in
// binary64 r = 1 / sqrt((n * S2 - S1 * S1) / (n * n) + epsilon), A = float(r),
// B = float(-r * S1 / n):
//   y[i] = Q(fl(fl(fl(fl(float(d) * A) + B) * scale[i]) + bias[i])), without a bias less the sum,
// Q as in s8.h's quantize_s8. Equal bytes from every row. y may be x. Nothing outside the rows is
// read or written. n is at most 2^23.
namespace medulla {

struct LayerNormS8 {
  size_t n = 0;
  int32_t zero_point_x = 0;
  double epsilon = 0;  // in units of x: epsilon / s_x^2
  const float* scale = nullptr;
  const float* bias = nullptr;  // null: none
  int32_t zero_point = 0;       // of y
  int32_t min = -128;
  int32_t max = 127;
};

struct LayerNormS8Kernel {
  void (*run)(const LayerNormS8& p, const int8_t* x, int8_t* y, size_t rows);
};

using LayerNormS8Row = Row<LayerNormS8Kernel, KernelRequest>;
std::span<const LayerNormS8Row> layer_norm_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_LAYER_NORM_S8_LAYER_NORM_S8_H_
