// SPDX-License-Identifier: Apache-2.0
#include "kernels/layer_norm_s8/rows.h"

namespace medulla {

extern const LayerNormS8Kernel layer_norm_s8_portable;
constexpr LayerNormS8Kernel layer_norm_s8_portable = make_layer_norm_s8<F32x1>();

}  // namespace medulla
