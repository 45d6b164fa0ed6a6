// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = sinh x, in binary64 and rounded once.
extern const Op op_Sinh = unary_op<RoundedFunction<sinh_f64>>("Sinh");

}  // namespace medulla
