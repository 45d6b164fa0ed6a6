// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = sin x, in binary64 and rounded once.
extern const Op op_Sin = unary_op<RoundedFunction<sin_f64>>("Sin");

}  // namespace medulla
