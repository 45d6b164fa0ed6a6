// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = erf x.
extern const Op op_Erf = unary_op<FloatFunction<erf_f32, erf_f64>>("Erf");

}  // namespace medulla
