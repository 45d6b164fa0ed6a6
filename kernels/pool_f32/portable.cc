// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_f32/rows.h"

namespace medulla {

extern const PoolF32Kernel pool_f32_portable;
constexpr PoolF32Kernel pool_f32_portable = make_pool_f32<F32x1>();

}  // namespace medulla
