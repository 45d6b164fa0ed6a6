// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = cosh x, in binary64 and rounded once.
extern const Op op_Cosh = unary_op<RoundedFunction<cosh_f64>>("Cosh");

}  // namespace medulla
