// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  const int64_t rank = x.rank;
  const int64_t axis = node.int_or("axis", 1);
  if (axis < -rank || axis > rank) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "axis is ", axis, ", should be from ", -rank,
                     " to ", rank);
  }
  const uint32_t split = axis_of(node, 1, x.rank);
  const mdl_shape shape = {2, {extent(x, 0, split), extent(x, split, x.rank)}};
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

}  // namespace

extern const Op op_Flatten = view_op("Flatten", infer, kAttributes);

}  // namespace medulla
