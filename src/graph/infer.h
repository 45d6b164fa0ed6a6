// SPDX-License-Identifier: Apache-2.0
// Shapes of all tensors from those of the inputs and states.
#ifndef MEDULLA_SRC_GRAPH_INFER_H_
#define MEDULLA_SRC_GRAPH_INFER_H_

#include "medulla/backend.h"
#include "src/ops/op.h"

namespace medulla {

// How many TensorTypes infer_shapes needs as room: the most arguments that a node has.
size_t infer_room(const mdl_graph& graph);

// Sets shapes[t] for the outputs of one node.
mdl_status infer_node_shapes(const mdl_graph& graph, const mdl_node& node, TensorType* room,
                             mdl_shape* shapes, mdl_error* error);

// Refuses what the file does not declare: planning relies on it.
mdl_status check_extents(const NodeView& node, const mdl_tensor& output, const mdl_shape& shape,
                         mdl_error* error);

// Sets shapes[t] for every tensor that a node makes. Those of inputs, states and constants are
// given. SHAPE when an extent is not as declared. Allocates nothing.
mdl_status infer_shapes(const mdl_graph& graph, TensorType* room, mdl_shape* shapes,
                        mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_INFER_H_
