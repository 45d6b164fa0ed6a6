// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = -x, the sign bit flipped.
float function(float x) { return -x; }

}  // namespace

extern const Op op_Neg = unary_op("Neg", reference_unary<function>);

}  // namespace medulla
