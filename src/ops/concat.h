// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_CONCAT_H_
#define MEDULLA_SRC_OPS_CONCAT_H_

#include "src/base/checked.h"
#include "src/ops/rules.h"

namespace medulla {

// The output of tensors of one dtype, joined along the attribute axis.
inline mdl_status infer_concat(const NodeView& node, std::span<const TensorType> inputs,
                               std::span<TensorType> outputs, mdl_error* error) {
  mdl_shape shape = inputs[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), shape.rank, &axis, error));
  for (size_t i = 1; i < inputs.size(); ++i) {
    MDL_TRY(check_dtype(node, inputs, i, inputs[0].dtype, error));
    const mdl_shape& x = inputs[i].shape;
    bool fits = x.rank == shape.rank;
    for (uint32_t d = 0; fits && d < x.rank; ++d) fits = d == axis || x.dims[d] == shape.dims[d];
    if (!fits || !checked_add(shape.dims[axis], x.dims[axis], &shape.dims[axis])) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", x, ", should agree with ",
                       inputs[0].shape, " but for axis ", axis);
    }
  }
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_CONCAT_H_
