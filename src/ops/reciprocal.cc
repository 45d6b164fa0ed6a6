// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = fl(1 / x).
float function(float x) { return 1 / x; }

}  // namespace

extern const Op op_Reciprocal = unary_op("Reciprocal", reference_unary<function>);

}  // namespace medulla
