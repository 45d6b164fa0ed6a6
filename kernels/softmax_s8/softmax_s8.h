// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_SOFTMAX_S8_SOFTMAX_S8_H_
#define MEDULLA_KERNELS_SOFTMAX_S8_SOFTMAX_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// Rows of n values, T = table[m - x] for a row's greatest value m, S the exact sum of its T:
//   y[i] = Q(fl(float(T) * r)), r = fl(inverse_scale / float(S)), Q as in s8.h's quantize_s8.
// Equal bytes from every row. y may be x. Nothing outside the rows is read or written.
namespace medulla {

struct SoftmaxS8 {
  size_t n = 0;
  const uint32_t* table = nullptr;  // [256], at most 2^23 each, the first one that
  float inverse_scale = 0;          // fl(1 / s_y)
  int32_t zero_point = 0;           // of y
  int32_t min = -128;
  int32_t max = 127;
};

struct SoftmaxS8Kernel {
  void (*run)(const SoftmaxS8& p, const int8_t* x, int8_t* y, size_t rows);
};

using SoftmaxS8Row = Row<SoftmaxS8Kernel, KernelRequest>;
std::span<const SoftmaxS8Row> softmax_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_SOFTMAX_S8_SOFTMAX_S8_H_
