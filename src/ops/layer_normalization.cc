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
  mdl_shape row = inputs[0].shape;
  for (uint32_t d = axis; d < row.rank; ++d) row.dims[d] = 1;
  for (size_t o = 1; o < outputs.size(); ++o) {
    MDL_TRY(set_output(node, outputs, o, MDL_FLOAT32, row, error));
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, inputs[0].shape, error);
}

// For each row, over the dimensions from the axis on, with m its mean and r the inverse of its
// deviation (norm.h): y = fma(fl(fl(x - m) * r), scale, bias), without a bias a product. m and r
// are outputs too.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  const float epsilon = float_attribute(call.node, "epsilon", kNormEpsilon);
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), shape.rank, &axis, error));
  const int64_t rows = extent(shape, 0, axis);
  const int64_t count = extent(shape, axis, shape.rank);
  const float* scale = call.in<float>(1);
  const float* bias = call.in<float>(2);
  float* y = call.out<float>(0);
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = call.in<float>(0) + row * count;
    const auto at = [x](int64_t i) { return x[i]; };
    const float mean = mean_of(count, at);
    const float inverse = inverse_deviation(count, epsilon, mean, at);
    if (call.out<float>(1) != nullptr) call.out<float>(1)[row] = mean;
    if (call.out<float>(2) != nullptr) call.out<float>(2)[row] = inverse;
    for (int64_t i = 0; y != nullptr && i < count; ++i) {
      const float normal = (x[i] - mean) * inverse;
      y[row * count + i] =
          bias != nullptr ? std::fma(normal, scale[i], bias[i]) : normal * scale[i];
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, scale, bias?; outputs y?, mean?, inverse deviation?.
extern const Op op_LayerNormalization = {
    .name = "LayerNormalization",
    .min_inputs = 2,
    .max_inputs = 3,
    .max_outputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_epsilon,
    .reference = reference,
};

}  // namespace medulla
