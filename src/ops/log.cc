// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = ln x; -inf at zero, NaN below.
extern const Op op_Log = unary_op<FloatFunction<log_f32, log_f64>>("Log");

}  // namespace medulla
