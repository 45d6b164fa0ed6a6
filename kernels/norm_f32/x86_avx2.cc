// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm_f32/rows.h"
#include "kernels/x86_avx2_f32x8.h"

namespace medulla {

extern const NormF32Kernel norm_f32_x8_avx2;
constexpr NormF32Kernel norm_f32_x8_avx2 = make_norm_f32<F32x8>();

}  // namespace medulla
