// SPDX-License-Identifier: Apache-2.0
// Operators that run graphs. A body is self-contained: what it reads from outside comes in as
// inputs of the node.
#ifndef MEDULLA_SRC_OPS_CONTROL_H_
#define MEDULLA_SRC_OPS_CONTROL_H_

#include "src/ops/rules.h"

namespace medulla {

// The inputs and outputs of a Loop. Inputs: trip count, condition (both may be left out), carried
// values, scanned tensors, captures. The body's: iteration, condition, then the same with slices
// for the scanned. Outputs: carried values, scans; the body has, when `conditional`, the condition
// before them.
struct LoopShape {
  const mdl_graph* body;
  size_t carried;
  size_t scanned;
  size_t captures;
  size_t scans;
  int64_t limit;
  bool conditional;

  size_t body_result() const { return conditional ? 1 : 0; }  // the body's first carried output
};

mdl_status read_loop(const NodeView& node, LoopShape* loop, mdl_error* error);

// The body's declaration of input i; of output o.
inline const mdl_tensor& body_input(const mdl_graph& body, size_t i) {
  return body.tensors[body.inputs[i]];
}
inline const mdl_tensor& body_output(const mdl_graph& body, size_t o) {
  return body.tensors[body.outputs[o]];
}

// Bits of the dimensions that have a symbol.
inline uint32_t varying(const mdl_tensor& tensor) {
  uint32_t mask = 0;
  for (uint32_t d = 0; d < tensor.rank; ++d) mask |= (tensor.symbols[d] != nullptr ? 1u : 0) << d;
  return mask;
}

// Whether a body takes what it is given: its dtype, and extents as it declares them.
mdl_status check_taken(const NodeView& node, const char* what, const TensorType& given,
                       const mdl_tensor& declared, mdl_error* error);
mdl_status check_same_meaning(const NodeView& node, const mdl_tensor* outside,
                              const mdl_tensor& inside, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_CONTROL_H_
