// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"alpha", MDL_ATTRIBUTE_FLOAT}};

// y = x < 0 ? fl(alpha * x) : x.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float alpha = float_attribute(call.node, "alpha", 0.01f);
  return map_unary(call, [=](float x) { return leaky_relu_f32(x, alpha); });
}

}  // namespace

extern const Op op_LeakyRelu = unary_op("LeakyRelu", reference, kAttributes);

}  // namespace medulla
