// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_s8/rows.h"
#include "kernels/x86_avx2_f32x8.h"

namespace medulla {

extern const AddS8Kernel add_s8_x8_avx2;
constexpr AddS8Kernel add_s8_x8_avx2 = make_add_s8<F32x8>();

}  // namespace medulla
