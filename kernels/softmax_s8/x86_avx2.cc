// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_s8/rows.h"
#include "kernels/x86_avx2_f32x8.h"

namespace medulla {

extern const SoftmaxS8Kernel softmax_s8_x8_avx2;
constexpr SoftmaxS8Kernel softmax_s8_x8_avx2 = make_softmax_s8<F32x8>();

}  // namespace medulla
