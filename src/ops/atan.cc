// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = atan x, in binary64 and rounded once.
extern const Op op_Atan = unary_op<RoundedFunction<atan_f64>>("Atan");

}  // namespace medulla
