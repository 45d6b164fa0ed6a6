// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = atanh x, in binary64 and rounded once.
extern const Op op_Atanh = unary_op<RoundedFunction<atanh_f64>>("Atanh");

}  // namespace medulla
