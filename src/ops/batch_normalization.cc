// SPDX-License-Identifier: Apache-2.0
#include "src/ops/norm.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"epsilon", MDL_ATTRIBUTE_FLOAT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  if (x.rank < 1) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", should be [..., C]");
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    if (i > 0) MDL_TRY(check_channels(node, inputs, i, x.dims[x.rank - 1], error));
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, x, error);
}

// y = fma(fl(x - mean), k, bias), k = fl(scale / fl(sqrt(fl(var + epsilon)))).
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float epsilon = float_attribute(call.node, "epsilon", kNormEpsilon);
  const TensorType& type = call.input_types[0];
  const int64_t channels = type.dim(type.rank() - 1);
  const int64_t count = type.elements();
  const float* x = call.in<float>(0);
  const float* scale = call.in<float>(1);
  const float* bias = call.in<float>(2);
  const float* mean = call.in<float>(3);
  const float* var = call.in<float>(4);
  float* y = call.out<float>(0);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = i % channels;
    const float k = scale[c] / std::sqrt(var[c] + epsilon);
    y[i] = std::fma(x[i] - mean[c], k, bias[c]);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_BatchNormalization = {
    .name = "BatchNormalization",
    .min_inputs = 5,
    .max_inputs = 5,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_epsilon,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
