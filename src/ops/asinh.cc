// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = asinh x, in binary64 and rounded once.
extern const Op op_Asinh = unary_op<RoundedFunction<asinh_f64>>("Asinh");

}  // namespace medulla
