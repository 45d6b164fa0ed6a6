// SPDX-License-Identifier: Apache-2.0
#include "src/ops/norm.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT},
                                         {"epsilon", MDL_ATTRIBUTE_FLOAT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  uint32_t axis;
  MDL_TRY(check_row_parameters(node, inputs, &axis, error));
  return set_output(node, outputs, 0, MDL_FLOAT32, inputs[0].shape, error);
}

// For each row, over the dimensions from the axis on: y = fl(fl(x * r) * scale), r the inverse
// deviation from a mean of 0 (norm.h).
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  const float epsilon = float_attribute(call.node, "epsilon", kNormEpsilon);
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), shape.rank, &axis, error));
  const int64_t rows = extent(shape, 0, axis);
  const int64_t count = extent(shape, axis, shape.rank);
  const float* x = call.in<float>(0);
  const float* scale = call.in<float>(1);
  float* y = call.out<float>(0);
  for (int64_t row = 0; row < rows; ++row, x += count, y += count) {
    const float r = inverse_deviation(count, epsilon, 0, [x](int64_t i) { return x[i]; });
    for (int64_t i = 0; i < count; ++i) y[i] = x[i] * r * scale[i];
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, scale.
extern const Op op_RMSNormalization = {
    .name = "RMSNormalization",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_epsilon,
    .reference = reference,
};

}  // namespace medulla
