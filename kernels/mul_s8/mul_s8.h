// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_MUL_S8_MUL_S8_H_
#define MEDULLA_KERNELS_MUL_S8_MUL_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// y[i] = Q(fl(float((a[i] - z_a) * (b[i] - z_b)) * k)) for i below n, the product exact, Q as in
// s8.h's quantize_s8. Equal bytes from every row. y may be a or b itself, else it overlaps neither.
// Nothing outside the n elements is read or written.
namespace medulla {

struct MulS8 {
  int32_t zero_point_a = 0;
  int32_t zero_point_b = 0;
  float k = 0;             // s_a * s_b / s_y
  int32_t zero_point = 0;  // of y
  int32_t min = -128;
  int32_t max = 127;
};

struct MulS8Kernel {
  void (*mul)(const MulS8& p, const int8_t* a, const int8_t* b, int8_t* y, size_t n);
  // b is one value for all; with a and b exchanged in `p` too, a may be.
  void (*mul_one)(const MulS8& p, const int8_t* a, const int8_t* b, int8_t* y, size_t n);
};

using MulS8Row = Row<MulS8Kernel, KernelRequest>;
std::span<const MulS8Row> mul_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_MUL_S8_MUL_S8_H_
