// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = |x|, the sign bit cleared.
float function(float x) { return std::fabs(x); }

}  // namespace

extern const Op op_Abs = unary_op("Abs", reference_unary<function>);

}  // namespace medulla
