// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = x * sigmoid(x), computed as x / (1 + e^-x).
extern const Op op_Swish = unary_op<FloatFunction<swish_f32>>("Swish");

}  // namespace medulla
