// SPDX-License-Identifier: Apache-2.0
// Tensors with one scale and zero point, or one for each index of an axis.
#ifndef MEDULLA_SRC_OPS_PER_AXIS_H_
#define MEDULLA_SRC_OPS_PER_AXIS_H_

#include "src/ops/rules.h"

namespace medulla {

inline mdl_status check_per_axis(const NodeView& node, const mdl_tensor& tensor, int64_t min,
                                 int64_t max, mdl_error* error) {
  const mdl_quantization& q = tensor.quantization;
  const bool per_axis = q.axis >= 0 && q.axis < static_cast<int64_t>(tensor.rank) &&
                        tensor.dims[q.axis] == static_cast<int64_t>(q.count);
  if (q.count == 0 || (q.count != 1 && !per_axis)) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "'", tensor.name, "' has ", q.count,
                     " scales, should have one, or one for each index of its axis");
  }
  for (size_t c = 0; c < q.count; ++c) {
    if (q.zero_points[c] < min || q.zero_points[c] > max) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "zero point ", c, " of '", tensor.name,
                       "' is ", q.zero_points[c], ", should be from ", min, " to ", max);
    }
  }
  return MDL_OK;
}

// Calls use(i, c) for each element i, c its index into the scales.
template <class Use>
void for_each_per_axis(const mdl_quantization& q, const mdl_shape& shape, Use use) {
  const int64_t count = extent(shape, 0, shape.rank);
  const int64_t inner =
      q.count > 1 ? extent(shape, static_cast<uint32_t>(q.axis) + 1, shape.rank) : count;
  for (int64_t i = 0; i < count; ++i) use(i, static_cast<size_t>(i / inner) % q.count);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_PER_AXIS_H_
