// SPDX-License-Identifier: Apache-2.0
// What the operators share that normalize rows of values.
#ifndef MEDULLA_SRC_OPS_NORM_H_
#define MEDULLA_SRC_OPS_NORM_H_

#include <cmath>

#include "src/ops/row_sum.h"
#include "src/ops/rules.h"

namespace medulla {

constexpr float kNormEpsilon = 1e-5f;

// fl(1 / fl(sqrt(fl(fl(V / count) + epsilon)))), V the row sum of fl(d * d), d = fl(at(i) - mean)
// for i below count.
template <class At>
float inverse_deviation(int64_t count, float epsilon, float mean, At at) {
  RowSum squares;
  for (int64_t i = 0; i < count; ++i) {
    const float d = at(i) - mean;
    squares.add(d * d);
  }
  return 1 / std::sqrt(squares.total() / static_cast<float>(count) + epsilon);
}

// fl(S / count), S the row sum of at(i) for i below count.
template <class At>
float mean_of(int64_t count, At at) {
  RowSum sum;
  for (int64_t i = 0; i < count; ++i) sum.add(at(i));
  return sum.total() / static_cast<float>(count);
}

inline mdl_status check_epsilon(const NodeView& node, mdl_error* error) {
  return check_float(node, "epsilon", error);
}

// Operators over the dimensions from the attribute axis on: scale, and bias if it is there, have
// the shape of these. Inputs from `first` on are float32.
inline mdl_status check_rows(const NodeView& node, std::span<const TensorType> inputs, size_t first,
                             uint32_t* axis, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  MDL_TRY(resolve_axis(node, node.int_or("axis", -1), x.rank, axis, error));
  for (size_t i = first; i < inputs.size(); ++i) {
    if (inputs[i].dtype == MDL_DTYPE_NONE) continue;
    MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    const mdl_shape& shape = inputs[i].shape;
    bool fits = shape.rank == x.rank - *axis;
    for (uint32_t d = 0; fits && d < shape.rank; ++d) fits = shape.dims[d] == x.dims[*axis + d];
    if (i == 0 || fits) continue;
    return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", shape,
                     ", should be the dimensions of ", x, " from ", *axis, " on");
  }
  return MDL_OK;
}
inline mdl_status check_row_parameters(const NodeView& node, std::span<const TensorType> inputs,
                                       uint32_t* axis, mdl_error* error) {
  return check_rows(node, inputs, 0, axis, error);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_NORM_H_
