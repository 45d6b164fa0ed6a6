// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = sqrt(x), correctly rounded; NaN below zero.
float function(float x) { return std::sqrt(x); }

}  // namespace

extern const Op op_Sqrt = unary_op("Sqrt", reference_unary<function>);

}  // namespace medulla
