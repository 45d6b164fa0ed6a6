// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = 1 / (1 + e^-x).
extern const Op op_Sigmoid = unary_op<FloatFunction<sigmoid_f32, sigmoid_f64>>("Sigmoid");

}  // namespace medulla
