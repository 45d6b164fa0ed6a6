// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"min", MDL_ATTRIBUTE_FLOAT},
                                         {"max", MDL_ATTRIBUTE_FLOAT}};

// y = min > x ? min : x, then max < y ? max : y; NaN kept. A bound that is left out is infinite.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float min = float_attribute(call.node, "min", -kInfinity);
  const float max = float_attribute(call.node, "max", kInfinity);
  return map_unary(call, [=](float x) { return clip_f32(x, min, max); });
}

}  // namespace

extern const Op op_Clip = unary_op("Clip", reference, kAttributes);

}  // namespace medulla
