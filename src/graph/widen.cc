// SPDX-License-Identifier: Apache-2.0
#include "src/graph/widen.h"

#include <algorithm>
#include <string_view>

#include "src/graph/uses.h"
#include "src/ops/op.h"

namespace medulla {
namespace {

bool is_widening(const mdl_graph& graph, const mdl_node& node) {
  const std::string_view op = node.op;
  if (op != "DequantizeLinear" && op != "Cast") return false;
  const mdl_tensor& from = graph.tensors[node.inputs[0]];
  const mdl_tensor& to = graph.tensors[node.outputs[0]];
  return from.data != nullptr && to.bytes > from.bytes && to.dtype == MDL_FLOAT32 &&
         (to.flags & (MDL_TENSOR_OUTPUT | MDL_TENSOR_WRITTEN)) == 0;
}

}  // namespace

mdl_status widen_constants(Arena& arena, mdl_graph* graph, mdl_error* error) {
  const std::span nodes(graph->nodes, graph->node_count);
  const auto widens = [&](const mdl_node& node) { return is_widening(*graph, node); };
  if (std::none_of(nodes.begin(), nodes.end(), widens)) return MDL_OK;
  mdl_tensor* tensors = arena.make<mdl_tensor>(graph->tensor_count);
  if (tensors == nullptr) return fail_planning(error);
  std::copy_n(graph->tensors, graph->tensor_count, tensors);
  graph->tensors = tensors;
  for (const mdl_node& node : nodes) {
    if (!widens(node)) continue;
    const mdl_tensor& from = tensors[node.inputs[0]];
    mdl_tensor& to = tensors[node.outputs[0]];
    void* wide = arena.allocate(to.bytes);
    if (wide == nullptr) return fail_planning(error);
    const TensorType types[] = {max_type(&from), max_type(&to)};
    const ReferenceCall call{NodeView(*graph, node), {types, 1}, {types + 1, 1},
                             {&from.data, 1},        {&wide, 1}, nullptr};
    MDL_TRY(find_op(node.op)->reference(call, error));
    to.data = wide;
    to.producer = -1;
  }
  return MDL_OK;
}

}  // namespace medulla
