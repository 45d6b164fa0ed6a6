// SPDX-License-Identifier: Apache-2.0
#include "src/ops/concat.h"
#include "src/ops/integer.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT, true},
                                         {"multipliers", MDL_ATTRIBUTE_FLOATS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kActivations, error));
  return infer_concat(node, inputs, outputs, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  const mdl_tensor& y = *node.output(0);
  MDL_TRY(check_quantized(node, y, error));
  MDL_TRY(check_multiplier_count(node, node.input_count(), error));
  for (size_t i = 0; i < node.input_count(); ++i) {
    const mdl_tensor& x = *node.input(i);
    MDL_TRY(check_quantized(node, x, error));
    MDL_TRY(
        check_multiplier(node, i, node.floats("multipliers")[i], scale_of(x) / scale_of(y), error));
  }
  return MDL_OK;
}

// Inputs one after the other along the axis: Q(fl(float(x - z_x) * k)), k = s_x / s_y; an input
// with the output's scale and zero point is copied.
template <class T>
mdl_status join(const ReferenceCall& call, mdl_error* error) {
  const mdl_tensor& to = *call.node.output(0);
  const mdl_shape& shape = call.output_types[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), shape.rank, &axis, error));
  const Quantizer quantizer = read_quantizer(call.node);
  const int64_t outer = extent(shape, 0, axis);
  const int64_t pitch = extent(shape, axis, shape.rank);
  T* y = call.out<T>(0);
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const mdl_tensor& from = *call.node.input(i);
    const float k = static_cast<float>(call.node.floats("multipliers")[i]);
    const int32_t z = zero_point_of(from);
    const bool copied = scale_of(from) == scale_of(to) && z == zero_point_of(to);
    const T* x = call.in<T>(i);
    const int64_t length = extent(call.input_types[i].shape, axis, shape.rank);
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t j = 0; j < length; ++j, ++x) {
        y[o * pitch + j] = copied ? *x : static_cast<T>(quantizer(static_cast<float>(*x - z) * k));
      }
    }
    y += length;
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  return by_width(call, [&]<class T>(T) { return join<T>(call, error); });
}

}  // namespace

extern const Op op_QConcat = {
    .name = "QConcat",
    .max_inputs = UINT32_MAX,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
