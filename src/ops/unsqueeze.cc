// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axes", MDL_ATTRIBUTE_INTS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  const std::span<const int64_t> list = node.ints("axes");
  if (list.size() > MDL_MAX_RANK - x.rank) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inserts ", list.size(), " dimensions into ", x,
                     ", the rank should stay within ", MDL_MAX_RANK);
  }
  mdl_shape shape = {static_cast<uint32_t>(x.rank + list.size()), {}};
  uint32_t axes;
  MDL_TRY(resolve_axes(node, list, shape.rank, &axes, error));
  const int64_t* next = x.dims;
  for (uint32_t d = 0; d < shape.rank; ++d) shape.dims[d] = (axes >> d & 1) != 0 ? 1 : *next++;
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

}  // namespace

extern const Op op_Unsqueeze = view_op("Unsqueeze", infer, kAttributes);

}  // namespace medulla
