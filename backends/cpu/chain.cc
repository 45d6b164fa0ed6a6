// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/chain.h"

#include <cstring>

#include "backends/cpu/activation.h"

namespace medulla::cpu {
namespace {

bool same_shape(const mdl_tensor& a, const mdl_tensor& b) {
  return a.dtype == b.dtype && a.rank == b.rank &&
         std::memcmp(a.dims, b.dims, a.rank * sizeof(int64_t)) == 0 &&
         std::memcmp(a.symbols, b.symbols, a.rank * sizeof(a.symbols[0])) == 0;
}

// The operand that an Add brings to `main`'s output, -1 when they do not have one shape.
int32_t residual_of(const mdl_graph& graph, const mdl_node& add, int32_t main_output) {
  if (add.input_count != 2 || add.inputs[0] == add.inputs[1]) return -1;
  const int32_t other = add.inputs[0] == main_output ? add.inputs[1] : add.inputs[0];
  const mdl_tensor& residual = graph.tensors[other];
  if (residual.data != nullptr || residual.dtype != MDL_FLOAT32) return -1;
  return same_shape(residual, graph.tensors[main_output]) ? other : -1;
}

}  // namespace

bool is_op(const mdl_node& node, const char* op) { return std::strcmp(node.op, op) == 0; }

bool is_one_of(const mdl_node& node, std::span<const char* const> ops) {
  for (const char* op : ops) {
    if (is_op(node, op)) return true;
  }
  return false;
}

int32_t sole_consumer(const mdl_graph& graph, int32_t tensor, const uint8_t* taken) {
  const mdl_tensor& t = graph.tensors[tensor];
  if (t.consumer_count != 1 || t.flags != 0 || t.consumer < 0) return -1;
  return taken[t.consumer] ? -1 : t.consumer;
}

size_t fuse_chain(const ChainRule& rule, const mdl_graph& graph, int32_t node, const uint8_t* taken,
                  int32_t* members, size_t capacity) {
  size_t count = 0;
  int32_t main = node;
  if (rule.pad && is_op(graph.nodes[node], "Pad") && capacity > 1) {
    main = sole_consumer(graph, graph.nodes[node].outputs[0], taken);
    if (main < 0 || graph.nodes[main].inputs[0] != graph.nodes[node].outputs[0]) return 0;
    members[count++] = node;
  }
  if (!is_one_of(graph.nodes[main], rule.mains)) return 0;
  members[count++] = main;

  int32_t output = graph.nodes[main].outputs[0];
  int32_t next = sole_consumer(graph, output, taken);
  if (rule.residual && count < capacity && next >= 0 && is_op(graph.nodes[next], "Add") &&
      residual_of(graph, graph.nodes[next], output) >= 0) {
    members[count++] = next;
    output = graph.nodes[next].outputs[0];
    next = sole_consumer(graph, output, taken);
  }
  if (count < capacity && next >= 0 && is_activation(graph, graph.nodes[next])) {
    members[count++] = next;
  }
  return count;
}

bool read_chain(const ChainRule& rule, const mdl_graph& graph, const GroupView& group,
                Chain* chain) {
  *chain = {};
  size_t i = 0;
  const size_t count = group.node_count();
  if (rule.pad && count > 1 && is_op(group.node(0).node(), "Pad")) {
    chain->pad = &group.node(i++).node();
  }
  if (!is_one_of(group.node(i).node(), rule.mains)) return false;
  chain->main = &group.node(i++).node();
  int32_t output = chain->main->outputs[0];
  if (rule.residual && i < count && is_op(group.node(i).node(), "Add")) {
    const int32_t residual = residual_of(graph, group.node(i).node(), output);
    if (residual < 0) return false;
    chain->residual = &graph.tensors[residual];
    ++i;
  }
  if (i < count) chain->activation = &group.node(i++).node();
  return i == count;
}

}  // namespace medulla::cpu
