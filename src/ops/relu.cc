// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = x > 0 ? x : 0, NaN kept.
float function(float x) { return clip_f32(x, 0, std::numeric_limits<float>::infinity()); }

}  // namespace

extern const Op op_Relu = unary_op("Relu", reference_unary<function>);

}  // namespace medulla
