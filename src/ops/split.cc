// SPDX-License-Identifier: Apache-2.0
#include "src/base/checked.h"
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT, true},
                                         {"sizes", MDL_ATTRIBUTE_INTS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  mdl_shape shape = inputs[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), shape.rank, &axis, error));
  const int64_t whole = shape.dims[axis];
  const std::span<const int64_t> sizes = node.ints("sizes");
  int64_t sum = 0;
  bool fits = sizes.size() == outputs.size();
  for (const int64_t size : sizes) fits = fits && size >= 0 && checked_add(sum, size, &sum);
  if (!fits || sum != whole) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "sizes should be ", outputs.size(),
                     " sizes whose sum is ", whole, ", dimension ", axis, " of ", shape);
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    shape.dims[axis] = sizes[o];
    MDL_TRY(set_output(node, outputs, o, inputs[0].dtype, shape, error));
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  const Strides strides = dense_strides(x.shape);
  const uint8_t* from = call.in<uint8_t>(0);
  for (size_t o = 0; o < call.outputs.size(); ++o) {
    const mdl_shape& y = call.output_types[o].shape;
    if (call.outputs[o] != nullptr) {
      copy_strided(element_bytes(x), y, from, strides, call.outputs[o]);
    }
    from += static_cast<size_t>(y.dims[axis] * strides.of[axis]) * element_bytes(x);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Split = {
    .name = "Split",
    .max_outputs = UINT32_MAX,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
