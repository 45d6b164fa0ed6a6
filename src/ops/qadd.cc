// SPDX-License-Identifier: Apache-2.0
#include "src/ops/broadcast.h"
#include "src/ops/integer.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"multipliers", MDL_ATTRIBUTE_FLOATS, true},
                                         {"qmin", MDL_ATTRIBUTE_INT},
                                         {"qmax", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_INT8, error));
  mdl_shape shape;
  MDL_TRY(broadcast_shapes(node, inputs[0].shape, inputs[1].shape, &shape, error));
  return set_output(node, outputs, 0, MDL_INT8, shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.output(0), error));
  MDL_TRY(check_multiplier_count(node, 2, error));
  for (size_t i = 0; i < 2; ++i) {
    MDL_TRY(check_quantized(node, *node.input(i), error));
    MDL_TRY(check_multiplier(node, i, node.floats("multipliers")[i],
                             scale_of(*node.input(i)) / scale_of(*node.output(0)), error));
  }
  return MDL_OK;
}

// y = Q(fl(fl(float(a - z_a) * k_a) + fl(float(b - z_b) * k_b))), k = s_in / s_y.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const std::span<const double> k = call.node.floats("multipliers");
  const float k_a = static_cast<float>(k[0]);
  const float k_b = static_cast<float>(k[1]);
  const int32_t z_a = zero_point_of(*call.node.input(0));
  const int32_t z_b = zero_point_of(*call.node.input(1));
  const Quantizer quantizer = read_quantizer(call.node);
  const int8_t* a = call.in<int8_t>(0);
  const int8_t* b = call.in<int8_t>(1);
  int8_t* y = call.out<int8_t>(0);
  const mdl_shape& shape = call.output_types[0].shape;
  for (Walk<2> w(shape, {broadcast_strides(call.input_types[0].shape, shape),
                         broadcast_strides(call.input_types[1].shape, shape)});
       !w.done(); w.next()) {
    const float left = static_cast<float>(a[w.offset[0]] - z_a) * k_a;
    const float right = static_cast<float>(b[w.offset[1]] - z_b) * k_b;
    *y++ = static_cast<int8_t>(quantizer(left + right));
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_QAdd = {
    .name = "QAdd",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .in_place = 3,
};

}  // namespace medulla
