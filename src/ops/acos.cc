// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = acos x, in binary64 and rounded once.
extern const Op op_Acos = unary_op<RoundedFunction<acos_f64>>("Acos");

}  // namespace medulla
