// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_BATCH_NORM_S8_BATCH_NORM_S8_H_
#define MEDULLA_KERNELS_BATCH_NORM_S8_BATCH_NORM_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// Rows of n channels: y[c] = Q(fl(fl(float(x[c] - zero_point_x) * multiplier[c]) + bias[c])), Q as
// in s8.h's quantize_s8. Multipliers and biases are finite. Equal bytes from every row. y may be x.
// Nothing outside the rows is read or written.
namespace medulla {

struct BatchNormS8 {
  size_t n = 0;
  int32_t zero_point_x = 0;
  const float* multiplier = nullptr;
  const float* bias = nullptr;
  int32_t zero_point = 0;  // of y
  int32_t min = -128;
  int32_t max = 127;
};

struct BatchNormS8Kernel {
  void (*run)(const BatchNormS8& p, const int8_t* x, int8_t* y, size_t rows);
};

using BatchNormS8Row = Row<BatchNormS8Kernel, KernelRequest>;
std::span<const BatchNormS8Row> batch_norm_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_BATCH_NORM_S8_BATCH_NORM_S8_H_
