// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/ops/integer.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"multiplier", MDL_ATTRIBUTE_FLOAT, true},
                                         {"qmin", MDL_ATTRIBUTE_INT},
                                         {"qmax", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_INT8, error));
  const mdl_shape& shape = inputs[0].shape;
  const mdl_shape& other = inputs[1].shape;
  if (shape.rank != other.rank || !std::equal(shape.dims, shape.dims + shape.rank, other.dims)) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", shape, " and ", other,
                     ", should have one shape");
  }
  return set_output(node, outputs, 0, MDL_INT8, shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.output(0), error));
  MDL_TRY(check_quantized(node, *node.input(1), error));
  return check_multiplier(node, scale_of(*node.input(1)) / scale_of(*node.output(0)), error);
}

// y = Q(fl(a + fl(float(b - z_b) * k))), k = s_b / s_y; a is in steps of the output.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float k = float_attribute(call.node, "multiplier", 0.0f);
  const int32_t z_b = zero_point_of(*call.node.input(1));
  const Quantizer quantizer = read_quantizer(call.node);
  const float* a = call.in<float>(0);
  const int8_t* b = call.in<int8_t>(1);
  int8_t* y = call.out<int8_t>(0);
  const int64_t count = call.input_types[0].elements();
  for (int64_t i = 0; i < count; ++i) {
    const float right = static_cast<float>(b[i] - z_b) * k;
    y[i] = static_cast<int8_t>(quantizer(a[i] + right));
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_QAddFloat = {
    .name = "QAddFloat",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
