// SPDX-License-Identifier: Apache-2.0
#include "kernels/layer_norm_s8/rows.h"
#include "kernels/x86_avx2_f32x8.h"

namespace medulla {

extern const LayerNormS8Kernel layer_norm_s8_x8_avx2;
constexpr LayerNormS8Kernel layer_norm_s8_x8_avx2 = make_layer_norm_s8<F32x8>();

}  // namespace medulla
