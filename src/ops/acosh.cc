// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = acosh x, in binary64 and rounded once.
extern const Op op_Acosh = unary_op<RoundedFunction<acosh_f64>>("Acosh");

}  // namespace medulla
