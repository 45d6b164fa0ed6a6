// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

double function(double x) { return x / (1 + exp_f64(-x)); }

}  // namespace

// y = x * sigmoid(x), computed as x / (1 + e^-x).
extern const Op op_Swish = unary_op<FloatFunction<swish_f32, function>>("Swish");

}  // namespace medulla
