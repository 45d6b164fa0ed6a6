// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise_f32/rows.h"

namespace medulla {

extern const ElementwiseF32Kernel elementwise_f32_portable;
constexpr ElementwiseF32Kernel elementwise_f32_portable = make_elementwise_f32<F32x1>();

}  // namespace medulla
