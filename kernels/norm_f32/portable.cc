// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm_f32/rows.h"

namespace medulla {

extern const NormF32Kernel norm_f32_portable;
constexpr NormF32Kernel norm_f32_portable = make_norm_f32<F32x1>();

}  // namespace medulla
