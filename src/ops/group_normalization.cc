// SPDX-License-Identifier: Apache-2.0
#include "src/ops/norm.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"num_groups", MDL_ATTRIBUTE_INT, true},
                                         {"epsilon", MDL_ATTRIBUTE_FLOAT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  if (x.rank < 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x,
                     ", should be [N, spatial..., C]");
  }
  const int64_t channels = x.dims[x.rank - 1];
  const int64_t groups = node.int_or("num_groups", 0);
  if (groups < 1 || channels % groups != 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "num_groups is ", groups,
                     ", should be a divisor of the ", channels, " channels of ", x);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    if (i > 0) MDL_TRY(check_channels(node, inputs, i, channels, error));
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, x, error);
}

// For each image and each group of channels, with m the mean and r the inverse deviation (norm.h)
// of its values, pixel by pixel, in each the group's channels: y = fma(fl(fl(x - m) * r), scale[c],
// bias[c]).
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const mdl_shape& shape = call.input_types[0].shape;
  const float epsilon = float_attribute(call.node, "epsilon", kNormEpsilon);
  const int64_t channels = shape.dims[shape.rank - 1];
  const int64_t pixels = extent(shape, 1, shape.rank - 1);
  const int64_t groups = call.node.int_or("num_groups", 1);
  const int64_t size = channels / groups;
  if (call.input_types[0].elements() == 0) return MDL_OK;
  for (int64_t n = 0; n < shape.dims[0]; ++n) {
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t first = n * pixels * channels + g * size;
      const float* x = call.in<float>(0) + first;
      float* y = call.out<float>(0) + first;
      const float* scale = call.in<float>(1) + g * size;
      const float* bias = call.in<float>(2) + g * size;
      const auto at = [&](int64_t i) { return x[i / size * channels + i % size]; };
      const float mean = mean_of(pixels * size, at);
      const float inverse = inverse_deviation(pixels * size, epsilon, mean, at);
      for (int64_t p = 0; p < pixels; ++p) {
        for (int64_t c = 0; c < size; ++c) {
          const float normal = (x[p * channels + c] - mean) * inverse;
          y[p * channels + c] = std::fma(normal, scale[c], bias[c]);
        }
      }
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, scale, bias. With a group for each channel it is ONNX's InstanceNormalization.
extern const Op op_GroupNormalization = {
    .name = "GroupNormalization",
    .min_inputs = 3,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_epsilon,
    .reference = reference,
};

}  // namespace medulla
