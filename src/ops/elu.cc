// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"alpha", MDL_ATTRIBUTE_FLOAT}};

// y = x < 0 ? fl(alpha * (e^x - 1)) : x.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float alpha = float_attribute(call.node, "alpha", 1);
  return map_unary(call, [=](float x) { return elu_f32(x, alpha); });
}

}  // namespace

extern const Op op_Elu = unary_op("Elu", reference, kAttributes);

}  // namespace medulla
