// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = asin x, in binary64 and rounded once.
extern const Op op_Asin = unary_op<RoundedFunction<asin_f64>>("Asin");

}  // namespace medulla
