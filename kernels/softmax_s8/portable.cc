// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_s8/rows.h"

namespace medulla {

extern const SoftmaxS8Kernel softmax_s8_portable;
constexpr SoftmaxS8Kernel softmax_s8_portable = make_softmax_s8<F32x1>();

}  // namespace medulla
