// SPDX-License-Identifier: Apache-2.0
#include "kernels/batch_norm_s8/rows.h"

namespace medulla {

extern const BatchNormS8Kernel batch_norm_s8_portable;
constexpr BatchNormS8Kernel batch_norm_s8_portable = make_batch_norm_s8<F32x1>();

}  // namespace medulla
