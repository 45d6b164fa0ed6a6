// SPDX-License-Identifier: Apache-2.0
#include "kernels/lut_s8/lut_s8.h"

namespace medulla {
namespace {

void look_up(const int8_t* table, const int8_t* x, int8_t* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = table[x[i] + 128];
}

}  // namespace

extern const LutS8Kernel lut_s8_portable;
const LutS8Kernel lut_s8_portable = {look_up};

}  // namespace medulla
