// SPDX-License-Identifier: Apache-2.0
#include "kernels/batch_norm_s8/rows.h"
#include "kernels/x86_avx2_f32x8.h"

namespace medulla {

extern const BatchNormS8Kernel batch_norm_s8_x8_avx2;
constexpr BatchNormS8Kernel batch_norm_s8_x8_avx2 = make_batch_norm_s8<F32x8>();

}  // namespace medulla
