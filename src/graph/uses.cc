// SPDX-License-Identifier: Apache-2.0
#include "src/graph/uses.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/ops/op.h"

namespace medulla {
namespace {

constexpr uint32_t kNeeded = MDL_TENSOR_OUTPUT | MDL_TENSOR_WRITTEN | MDL_TENSOR_KEEP;

void find_readers(const mdl_graph& graph, Uses* uses) {
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] >= 0) ++uses->first[static_cast<size_t>(node.inputs[i]) + 1];
    }
  }
  for (size_t t = 0; t < graph.tensor_count; ++t) uses->first[t + 1] += uses->first[t];
  // Filled from the back, so that first[t + 1] ends as the start of t + 1 and nodes ascend.
  for (size_t n = graph.node_count; n-- > 0;) {
    const mdl_node& node = graph.nodes[n];
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] < 0) continue;
      const size_t t = static_cast<size_t>(node.inputs[i]);
      uses->readers[--uses->first[t + 1]] = static_cast<int32_t>(n);
    }
  }
  // Now first[t + 1] is where t starts; move all down by one.
  const size_t total = uses->readers.size();
  for (size_t t = 0; t < graph.tensor_count; ++t) uses->first[t] = uses->first[t + 1];
  uses->first[graph.tensor_count] = static_cast<uint32_t>(total);
}

// What has no elements is made by doing nothing. Its extents can still be found at run time.
bool makes_nothing(const mdl_graph& graph, const mdl_node& node) {
  return !finds_extents(NodeView(graph, node)) &&
         std::all_of(node.outputs, node.outputs + node.output_count,
                     [&](int32_t t) { return t < 0 || graph.tensors[t].bytes == 0; });
}

void find_live(const mdl_graph& graph, std::span<bool> needed, Uses* uses) {
  for (size_t t = 0; t < graph.tensor_count; ++t) {
    needed[t] = (graph.tensors[t].flags & kNeeded) != 0;
  }
  const auto is_to_be_made = [&](int32_t t) {
    return t >= 0 && needed[static_cast<size_t>(t)] && graph.tensors[t].data == nullptr;
  };
  for (size_t n = graph.node_count; n-- > 0;) {
    const mdl_node& node = graph.nodes[n];
    for (uint32_t o = 0; o < node.output_count; ++o) {
      uses->live[n] |= is_to_be_made(node.outputs[o]);
    }
    if (uses->live[n] && makes_nothing(graph, node)) uses->live[n] = false;
    if (!uses->live[n]) continue;
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] >= 0) needed[static_cast<size_t>(node.inputs[i])] = true;
    }
  }
}

// A view takes no step unless its output needs memory of its own: an output of the graph can be
// bound apart from inputs, states and other outputs; and a state's bytes change at the end of a
// run.
bool is_free_view(const mdl_graph& graph, const mdl_node& node, const Uses& uses,
                  std::span<bool> has_output) {
  const Op* op = find_op(node.op);
  if (op == nullptr || !op->view || node.inputs[0] < 0 || node.outputs[0] < 0) return false;
  const mdl_tensor& output = graph.tensors[node.outputs[0]];
  const size_t r = static_cast<size_t>(uses.root[static_cast<size_t>(node.inputs[0])]);
  const mdl_tensor& root = graph.tensors[r];
  if ((root.flags & MDL_TENSOR_STATE) != 0 && (output.flags & kNeeded) != 0) return false;
  if ((output.flags & MDL_TENSOR_OUTPUT) != 0) {
    if (root.producer < 0 || has_output[r]) return false;
    has_output[r] = true;
  }
  return true;
}

}  // namespace

mdl_status fail_planning(mdl_error* error) {
  return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for planning the program");
}

mdl_status find_uses(const mdl_graph& graph, Arena& arena, Uses* uses, mdl_error* error) {
  size_t inputs = 0;
  for (size_t n = 0; n < graph.node_count; ++n) {
    for (uint32_t i = 0; i < graph.nodes[n].input_count; ++i) {
      inputs += graph.nodes[n].inputs[i] >= 0;
    }
  }
  uses->first = {arena.make_temporary<uint32_t>(graph.tensor_count + 1), graph.tensor_count + 1};
  uses->readers = {arena.make_temporary<int32_t>(inputs), inputs};
  uses->live = {arena.make_temporary<bool>(graph.node_count), graph.node_count};
  uses->root = {arena.make_temporary<int32_t>(graph.tensor_count), graph.tensor_count};
  uses->view = {arena.make_temporary<bool>(graph.node_count), graph.node_count};
  const std::span flags = {arena.make_temporary<bool>(graph.tensor_count), graph.tensor_count};
  if (uses->first.data() == nullptr || uses->readers.data() == nullptr ||
      uses->live.data() == nullptr || uses->root.data() == nullptr ||
      uses->view.data() == nullptr || flags.data() == nullptr) {
    return fail_planning(error);
  }
  find_readers(graph, uses);
  find_live(graph, flags, uses);

  for (size_t t = 0; t < graph.tensor_count; ++t) {
    uses->root[t] = static_cast<int32_t>(t);
    flags[t] = (graph.tensors[t].flags & MDL_TENSOR_OUTPUT) != 0;
  }
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    if (!uses->live[n] || !is_free_view(graph, node, *uses, flags)) continue;
    uses->view[n] = true;
    uses->root[static_cast<size_t>(node.outputs[0])] =
        uses->root[static_cast<size_t>(node.inputs[0])];
  }
  return MDL_OK;
}

}  // namespace medulla
