// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"qmin", MDL_ATTRIBUTE_INT}, {"qmax", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  const mdl_shape& x = inputs[0].shape;
  if (x.rank < 1) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", should be [..., C]");
  }
  for (size_t i = 1; i < 3; ++i) {
    MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    MDL_TRY(check_channels(node, inputs, i, x.dims[x.rank - 1], error));
  }
  return set_output(node, outputs, 0, MDL_INT8, x, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.input(0), error));
  MDL_TRY(check_quantized(node, *node.output(0), error));
  MDL_TRY(check_normal_constant(node, 1, "the multiplier", error));
  return check_normal_constant(node, 2, "the bias", error);
}

// y = Q(fl(fl(float(x - z_x) * m) + b)), m and b of the last dimension, in units of the output.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& type = call.input_types[0];
  const int64_t channels = type.dim(type.rank() - 1);
  const int64_t count = type.elements();
  const int32_t z = zero_point_of(*call.node.input(0));
  const Quantizer quantizer = read_quantizer(call.node);
  const int8_t* x = call.in<int8_t>(0);
  const float* m = call.in<float>(1);
  const float* b = call.in<float>(2);
  int8_t* y = call.out<int8_t>(0);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = i % channels;
    const float scaled = static_cast<float>(x[i] - z) * m[c];
    y[i] = static_cast<int8_t>(quantizer(scaled + b[c]));
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, multiplier, bias.
extern const Op op_QBatchNormalization = {
    .name = "QBatchNormalization",
    .min_inputs = 3,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
