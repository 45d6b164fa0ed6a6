// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = ln x; -inf at zero, NaN below.
extern const Op op_Log = unary_op("Log", reference_unary<log_f32>);

}  // namespace medulla
