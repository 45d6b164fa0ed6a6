// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_f32/rows.h"

namespace medulla {

extern const SoftmaxF32Kernel softmax_f32_portable;
constexpr SoftmaxF32Kernel softmax_f32_portable = make_softmax_f32<F32x1>();

}  // namespace medulla
