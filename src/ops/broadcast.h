// SPDX-License-Identifier: Apache-2.0
// The numpy rule: shapes are aligned at their last dimension; two extents agree, or one is 1 and is
// repeated.
#ifndef MEDULLA_SRC_OPS_BROADCAST_H_
#define MEDULLA_SRC_OPS_BROADCAST_H_

#include "src/ops/op.h"
#include "src/ops/walk.h"

namespace medulla {

inline mdl_status broadcast_shapes(const NodeView& node, const mdl_shape& a, const mdl_shape& b,
                                   mdl_shape* result, mdl_error* error) {
  const mdl_shape& longer = a.rank >= b.rank ? a : b;
  const mdl_shape& shorter = a.rank >= b.rank ? b : a;
  mdl_shape shape = longer;
  for (uint32_t d = 0; d < shorter.rank; ++d) {
    int64_t& extent = shape.dims[longer.rank - shorter.rank + d];
    if (extent == 1) {
      extent = shorter.dims[d];
    } else if (shorter.dims[d] != 1 && shorter.dims[d] != extent) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "shapes ", a, " and ", b,
                       " do not broadcast: ", extent, " against ", shorter.dims[d]);
    }
  }
  *result = shape;
  return MDL_OK;
}

// Input i broadcasts to `shape`, which stays as it is.
inline mdl_status check_broadcasts_to(const NodeView& node, std::span<const TensorType> inputs,
                                      size_t i, const mdl_shape& shape, mdl_error* error) {
  mdl_shape result;
  MDL_TRY(broadcast_shapes(node, inputs[i].shape, shape, &result, error));
  bool same = result.rank == shape.rank;
  for (uint32_t d = 0; same && d < shape.rank; ++d) same = result.dims[d] == shape.dims[d];
  if (same) return MDL_OK;
  return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", inputs[i].shape,
                   ", should broadcast to ", shape);
}

// Strides that read a dense tensor of shape `from` as if it had the shape `to`, which it broadcasts
// to.
inline Strides broadcast_strides(const mdl_shape& from, const mdl_shape& to) {
  const Strides dense = dense_strides(from);
  Strides strides;
  for (uint32_t d = 0; d < from.rank; ++d) {
    strides.of[to.rank - from.rank + d] = from.dims[d] == 1 ? 0 : dense.of[d];
  }
  return strides;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_BROADCAST_H_
