// SPDX-License-Identifier: Apache-2.0
#include "src/ops/qbinary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"multiplier", MDL_ATTRIBUTE_FLOAT, true},
                                         {"qmin", MDL_ATTRIBUTE_INT},
                                         {"qmax", MDL_ATTRIBUTE_INT}};

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_qbinary(node, error));
  const double product = scale_of(*node.input(0)) * scale_of(*node.input(1));
  return check_multiplier(node, product / scale_of(*node.output(0)), error);
}

// y = Q(fl(float((a - z_a) * (b - z_b)) * m)), m = s_a * s_b / s_y; the product is exact.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float m = float_attribute(call.node, "multiplier", 0.0f);
  for_each_quantized(call, [=](float a, float b) {
    const float product = a * b;
    return product * m;
  });
  return MDL_OK;
}

}  // namespace

extern const Op op_QMul = {
    .name = "QMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer_binary<kActivations>,
    .check = check,
    .reference = reference,
    .in_place = 3,
};

}  // namespace medulla
