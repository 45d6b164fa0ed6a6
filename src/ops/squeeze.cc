// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axes", MDL_ATTRIBUTE_INTS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  uint32_t axes;
  MDL_TRY(resolve_axes(node, node.ints("axes"), x.rank, &axes, error));
  mdl_shape shape = {};
  for (uint32_t d = 0; d < x.rank; ++d) {
    if ((axes >> d & 1) == 0) {
      shape.dims[shape.rank++] = x.dims[d];
    } else if (x.dims[d] != 1) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "dimension ", d, " is ", x.dims[d],
                       ", should be 1 to be squeezed out of ", x);
    }
  }
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

}  // namespace

extern const Op op_Squeeze = view_op("Squeeze", infer, kAttributes);

}  // namespace medulla
