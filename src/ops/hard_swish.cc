// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = x * hard_sigmoid(x, 1/6, 1/2), the constants rounded to float32.
extern const Op op_HardSwish = unary_op<FloatFunction<hard_swish_f32>>("HardSwish");

}  // namespace medulla
