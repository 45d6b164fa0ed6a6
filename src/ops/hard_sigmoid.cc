// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"alpha", MDL_ATTRIBUTE_FLOAT},
                                         {"beta", MDL_ATTRIBUTE_FLOAT}};

// y = clip(fma(alpha, x, beta), 0, 1).
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float alpha = float_attribute(call.node, "alpha", 0.2f);
  const float beta = float_attribute(call.node, "beta", 0.5f);
  return map_unary(call, [=](float x) { return hard_sigmoid_f32(x, alpha, beta); });
}

}  // namespace

extern const Op op_HardSigmoid = unary_op("HardSigmoid", reference, kAttributes);

}  // namespace medulla
