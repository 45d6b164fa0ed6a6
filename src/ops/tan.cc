// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = tan x, in binary64 and rounded once.
extern const Op op_Tan = unary_op<RoundedFunction<tan_f64>>("Tan");

}  // namespace medulla
