// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = e^x.
extern const Op op_Exp = unary_op<FloatFunction<exp_f32, exp_f64>>("Exp");

}  // namespace medulla
