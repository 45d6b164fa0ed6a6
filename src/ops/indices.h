// SPDX-License-Identifier: Apache-2.0
// Tensors of indices: int32 or int64, those below zero count from the end.
#ifndef MEDULLA_SRC_OPS_INDICES_H_
#define MEDULLA_SRC_OPS_INDICES_H_

#include "src/ops/rules.h"

namespace medulla {

inline mdl_status check_indices(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                                mdl_error* error) {
  if (inputs[i].dtype == MDL_INT32 || inputs[i].dtype == MDL_INT64) return MDL_OK;
  return fail_node(error, MDL_ERROR_DTYPE, node, "input ", i, " is ",
                   mdl_dtype_name(inputs[i].dtype), ", should be int32 or int64");
}

inline int64_t int_at(const ReferenceCall& call, size_t input, int64_t i) {
  return call.input_types[input].dtype == MDL_INT32 ? call.in<int32_t>(input)[i]
                                                    : call.in<int64_t>(input)[i];
}

// Element i of an input, as an index from 0 to size - 1.
inline mdl_status read_index(const ReferenceCall& call, size_t input, int64_t i, int64_t size,
                             int64_t* index, mdl_error* error) {
  const int64_t value = int_at(call, input, i);
  if (value < -size || value >= size) {
    return fail_node(error, MDL_ERROR_INVALID_ARGUMENT, call.node, "index ", i, " is ", value,
                     ", should be from ", -size, " to ", size - 1);
  }
  *index = value < 0 ? value + size : value;
  return MDL_OK;
}

// Where tuple n of an input [..., k] points to: the sum of its k indices into the dimensions from
// `first` on, times their strides.
inline mdl_status read_tuple(const ReferenceCall& call, size_t input, int64_t n,
                             const mdl_shape& data, uint32_t first, int64_t* offset,
                             mdl_error* error) {
  const mdl_shape& shape = call.input_types[input].shape;
  const int64_t k = shape.dims[shape.rank - 1];
  *offset = 0;
  for (int64_t i = 0; i < k; ++i) {
    const uint32_t d = first + static_cast<uint32_t>(i);
    int64_t index;
    MDL_TRY(read_index(call, input, n * k + i, data.dims[d], &index, error));
    *offset += index * extent(data, d + 1, data.rank);
  }
  return MDL_OK;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_INDICES_H_
