// SPDX-License-Identifier: Apache-2.0
// What sharing memory asks of tensors and nodes.
#ifndef MEDULLA_SRC_GRAPH_FACTS_H_
#define MEDULLA_SRC_GRAPH_FACTS_H_

#include "src/ops/op.h"

namespace medulla {

// Whether no dimension varies.
bool is_static(const mdl_tensor& tensor);
// The elements of a row; 1 for a scalar.
int64_t last_dim(const mdl_tensor& tensor);
// Whether two tensors have one dtype and one shape, whatever the inputs' shapes are.
bool same_type(const mdl_tensor& a, const mdl_tensor& b);
// A concatenation that only copies: its output is its inputs, one behind the other.
bool is_plain_concat(const NodeView& node);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_FACTS_H_
