// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

double function(double x) {
  const double y = std::fma(x, 1 / 6.0, 0.5);
  return x * (y < 0 ? 0 : y > 1 ? 1 : y);
}

}  // namespace

// y = x * hard_sigmoid(x, 1/6, 1/2), the constants rounded to float32.
extern const Op op_HardSwish = unary_op<FloatFunction<hard_swish_f32, function>>("HardSwish");

}  // namespace medulla
