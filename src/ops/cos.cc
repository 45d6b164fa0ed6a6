// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = cos x, in binary64 and rounded once.
extern const Op op_Cos = unary_op<RoundedFunction<cos_f64>>("Cos");

}  // namespace medulla
