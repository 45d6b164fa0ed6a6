// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_LUT_S8_LUT_S8_H_
#define MEDULLA_KERNELS_LUT_S8_LUT_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// y[i] = table[x[i] + 128] for i below n. y may be x, else the three do not overlap. Nothing
// outside the n elements and the table's 256 is read or written.
namespace medulla {

struct LutS8Kernel {
  void (*look_up)(const int8_t* table, const int8_t* x, int8_t* y, size_t n);
};

using LutS8Row = Row<LutS8Kernel, KernelRequest>;
std::span<const LutS8Row> lut_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_LUT_S8_LUT_S8_H_
