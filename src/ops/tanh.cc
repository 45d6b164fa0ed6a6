// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = tanh x.
extern const Op op_Tanh = unary_op<FloatFunction<tanh_f32, tanh_f64>>("Tanh");

}  // namespace medulla
