// SPDX-License-Identifier: Apache-2.0
#include "kernels/mul_s8/rows.h"

namespace medulla {

extern const MulS8Kernel mul_s8_portable;
constexpr MulS8Kernel mul_s8_portable = make_mul_s8<F32x1>();

}  // namespace medulla
