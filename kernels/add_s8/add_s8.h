// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ADD_S8_ADD_S8_H_
#define MEDULLA_KERNELS_ADD_S8_ADD_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// y[i] = Q(fl(fl(float(a[i] - z_a) * k_a) + fl(float(b[i] - z_b) * k_b))) for i below n, Q as in
// s8.h's quantize_s8. Equal bytes from every row. y may be a or b itself, else it overlaps neither.
// Nothing outside the n elements is read or written.
namespace medulla {

struct AddS8 {
  int32_t zero_point_a = 0;
  int32_t zero_point_b = 0;
  float k_a = 0;  // s_a / s_y; negative k_b: Sub
  float k_b = 0;
  int32_t zero_point = 0;  // of y
  int32_t min = -128;
  int32_t max = 127;
};

struct AddS8Kernel {
  void (*add)(const AddS8& p, const int8_t* a, const int8_t* b, int8_t* y, size_t n);
  // b is one value for all; with a and b exchanged in `p` too, a may be.
  void (*add_one)(const AddS8& p, const int8_t* a, const int8_t* b, int8_t* y, size_t n);
};

using AddS8Row = Row<AddS8Kernel, KernelRequest>;
std::span<const AddS8Row> add_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ADD_S8_ADD_S8_H_
