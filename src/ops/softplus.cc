// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = log(1 + exp(x)), by softplus_f32's sequence.
extern const Op op_Softplus = unary_op<FloatFunction<softplus_f32, softplus_f64>>("Softplus");

}  // namespace medulla
