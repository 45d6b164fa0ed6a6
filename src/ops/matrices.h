// SPDX-License-Identifier: Apache-2.0
// Products of stacks of matrices, as numpy's matmul: dimensions in front of the last two broadcast;
// a vector is a row on the left and a column on the right, and its 1 is left out of the output.
#ifndef MEDULLA_SRC_OPS_MATRICES_H_
#define MEDULLA_SRC_OPS_MATRICES_H_

#include "src/ops/broadcast.h"
#include "src/ops/rules.h"

namespace medulla {

struct Matrices {
  int64_t m, n, k;
  mdl_shape a_stack, b_stack, stack;  // what stands in front of the matrices
  mdl_shape output;
};

inline mdl_status read_matrices(const NodeView& node, const mdl_shape& a, const mdl_shape& b,
                                Matrices* product, mdl_error* error) {
  if (a.rank < 1 || b.rank < 1) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", a, " and ", b,
                     ", should have rank 1 or more");
  }
  const bool row = a.rank == 1;
  const bool column = b.rank == 1;
  Matrices& p = *product;
  p.m = row ? 1 : a.dims[a.rank - 2];
  p.k = a.dims[a.rank - 1];
  p.n = column ? 1 : b.dims[b.rank - 1];
  if (b.dims[column ? 0 : b.rank - 2] != p.k) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", a, " and ", b,
                     ", should be [..., M, K] and [..., K, N]");
  }
  p.a_stack = a;
  p.b_stack = b;
  p.a_stack.rank -= row ? 1 : 2;
  p.b_stack.rank -= column ? 1 : 2;
  MDL_TRY(broadcast_shapes(node, p.a_stack, p.b_stack, &p.stack, error));
  p.output = p.stack;
  if (!row) p.output.dims[p.output.rank++] = p.m;
  if (!column) p.output.dims[p.output.rank++] = p.n;
  return MDL_OK;
}

// Calls dot(a, b, p) for each element of the product, in order, with the indices of its row and of
// its column, whose values stand p.n apart.
template <class Dot>
mdl_status for_each_dot_at(const ReferenceCall& call, mdl_error* error, Dot dot) {
  const mdl_shape& a = call.input_types[0].shape;
  const mdl_shape& b = call.input_types[1].shape;
  Matrices p;
  MDL_TRY(read_matrices(call.node, a, b, &p, error));
  for (Walk<2> w(p.stack,
                 {broadcast_strides(p.a_stack, p.stack), broadcast_strides(p.b_stack, p.stack)});
       !w.done(); w.next()) {
    const int64_t rows = w.offset[0] * p.m * p.k;
    const int64_t columns = w.offset[1] * p.k * p.n;
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) dot(rows + i * p.k, columns + j, p);
    }
  }
  return MDL_OK;
}

// The same with pointers to them.
template <class T, class Dot>
mdl_status for_each_dot(const ReferenceCall& call, mdl_error* error, Dot dot) {
  return for_each_dot_at(call, error, [&](int64_t a, int64_t b, const Matrices& p) {
    dot(call.in<T>(0) + a, call.in<T>(1) + b, p);
  });
}

inline uint64_t matrices_macs(const NodeView&, std::span<const TensorType> inputs,
                              std::span<const TensorType> outputs) {
  const mdl_shape& a = inputs[0].shape;
  return static_cast<uint64_t>(outputs[0].elements()) * static_cast<uint64_t>(a.dims[a.rank - 1]);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_MATRICES_H_
