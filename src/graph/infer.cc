// SPDX-License-Identifier: Apache-2.0
#include "src/graph/infer.h"

#include <algorithm>

namespace medulla {
mdl_status check_extents(const NodeView& node, const mdl_tensor& tensor, const mdl_shape& shape,
                         mdl_error* error) {
  if (shape.rank != tensor.rank) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "output '", tensor.name, "' becomes ", shape,
                     ", should have rank ", tensor.rank);
  }
  for (uint32_t d = 0; d < shape.rank; ++d) {
    const bool fixed = tensor.symbols[d] == nullptr;
    const int64_t extent = shape.dims[d];
    if (fixed ? extent == tensor.dims[d] : extent >= 0 && extent <= tensor.dims[d]) continue;
    return fail_node(error, MDL_ERROR_SHAPE, node, "output '", tensor.name, "': dimension ", d,
                     " becomes ", extent, ", the file declares ", fixed ? "" : "at most ",
                     tensor.dims[d]);
  }
  return MDL_OK;
}

size_t infer_room(const mdl_graph& graph) {
  size_t most = 0;
  for (size_t n = 0; n < graph.node_count; ++n) {
    most = std::max(most, size_t{graph.nodes[n].input_count} + graph.nodes[n].output_count);
  }
  return most;
}

mdl_status infer_node_shapes(const mdl_graph& graph, const mdl_node& node, TensorType* room,
                             mdl_shape* shapes, mdl_error* error) {
  const NodeView view(graph, node);
  const Op* op = find_op(node.op);
  if (op == nullptr) return fail_node(error, MDL_ERROR_NOT_BUILT, view, "is not in this build");
  const std::span inputs(room, node.input_count);
  const std::span outputs(room + node.input_count, node.output_count);
  for (size_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = {};
    const int32_t t = node.inputs[i];
    if (t >= 0) inputs[i] = {graph.tensors[t].dtype, shapes[t]};
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    outputs[o] = {};
    if (node.outputs[o] >= 0) outputs[o].dtype = graph.tensors[node.outputs[o]].dtype;
  }
  MDL_TRY(op->infer(view, inputs, outputs, error));
  for (size_t o = 0; o < outputs.size(); ++o) {
    const int32_t t = node.outputs[o];
    if (t < 0) continue;
    MDL_TRY(check_extents(view, graph.tensors[t], outputs[o].shape, error));
    shapes[t] = outputs[o].shape;
  }
  return MDL_OK;
}

mdl_status infer_shapes(const mdl_graph& graph, TensorType* room, mdl_shape* shapes,
                        mdl_error* error) {
  for (size_t n = 0; n < graph.node_count; ++n) {
    MDL_TRY(infer_node_shapes(graph, graph.nodes[n], room, shapes, error));
  }
  return MDL_OK;
}

}  // namespace medulla
