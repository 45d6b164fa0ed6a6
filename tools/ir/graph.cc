// SPDX-License-Identifier: Apache-2.0
#include "tools/ir/graph.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace medulla::tools {
namespace {

size_t at(int32_t index) { return static_cast<size_t>(index); }

}  // namespace

size_t Tensor::elements() const {
  if (std::ranges::find(dims, 0) != dims.end()) return 0;
  size_t count = 1;
  for (const int64_t d : dims) {
    if (d < 0 || __builtin_mul_overflow(count, static_cast<size_t>(d), &count)) {
      throw std::length_error("tensor '" + name + "' has more elements than any memory holds");
    }
  }
  return count;
}

int32_t Graph::add_tensor(Tensor tensor) {
  std::set<std::string> taken;
  for (const Tensor& other : tensors) taken.insert(other.name);
  const std::string wanted = tensor.name;
  for (int suffix = 1; taken.contains(tensor.name); ++suffix) {
    tensor.name = wanted + "_" + std::to_string(suffix);
  }
  tensors.push_back(std::move(tensor));
  return static_cast<int32_t>(tensors.size() - 1);
}

int32_t Graph::producer(int32_t tensor) const {
  for (size_t n = 0; n < nodes.size(); ++n) {
    if (std::ranges::find(nodes[n].outputs, tensor) != nodes[n].outputs.end()) {
      return static_cast<int32_t>(n);
    }
  }
  return -1;
}

std::vector<int32_t> Graph::consumers(int32_t tensor) const {
  std::vector<int32_t> readers;
  for (size_t n = 0; n < nodes.size(); ++n) {
    if (std::ranges::find(nodes[n].inputs, tensor) != nodes[n].inputs.end()) {
      readers.push_back(static_cast<int32_t>(n));
    }
  }
  return readers;
}

bool Graph::is_output(int32_t tensor) const {
  return std::ranges::find(outputs, tensor) != outputs.end();
}

void Graph::replace_uses(int32_t from, int32_t to) {
  for (Node& node : nodes) std::ranges::replace(node.inputs, from, to);
  std::ranges::replace(outputs, from, to);
  for (State& state : states) {
    if (state.written == from) state.written = to;
  }
}

void Graph::compact() {
  std::vector<bool> needed(tensors.size(), false);
  const auto need = [&](int32_t tensor) {
    if (tensor >= 0) needed[at(tensor)] = true;
  };
  for (int32_t tensor : outputs) need(tensor);
  for (const State& state : states) need(state.written);

  std::vector<Node> kept;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const bool used = std::ranges::any_of(
        node->outputs, [&](int32_t tensor) { return tensor >= 0 && needed[at(tensor)]; });
    if (!used) continue;
    for (int32_t tensor : node->inputs) need(tensor);
    for (int32_t tensor : node->outputs) need(tensor);
    kept.push_back(std::move(*node));
  }
  nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  for (int32_t tensor : inputs) need(tensor);
  for (const State& state : states) need(state.tensor);

  std::vector<int32_t> renumbered(tensors.size(), -1);
  std::vector<Tensor> left;
  for (size_t t = 0; t < tensors.size(); ++t) {
    if (!needed[t]) continue;
    renumbered[t] = static_cast<int32_t>(left.size());
    left.push_back(std::move(tensors[t]));
  }
  tensors = std::move(left);
  const auto renumber = [&](std::vector<int32_t>& list) {
    for (int32_t& tensor : list) {
      if (tensor >= 0) tensor = renumbered[at(tensor)];
    }
  };
  for (Node& node : nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(inputs);
  renumber(outputs);
  for (State& state : states) {
    state.tensor = renumbered[at(state.tensor)];
    state.written = renumbered[at(state.written)];
  }
}

void Model::drop_unused_graphs() {
  std::vector<uint32_t> renumbered(graphs.size(), 0);
  std::vector<bool> used(graphs.size(), false);
  used[0] = true;
  const auto each_body = [](Graph& graph, const auto& use) {
    for (Node& node : graph.nodes) {
      for (auto& [key, attribute] : node.attributes) {
        if (auto* body = std::get_if<GraphIndex>(&attribute)) use(*body);
      }
    }
  };
  std::vector<Graph> kept;
  for (size_t g = 0; g < graphs.size(); ++g) {
    if (!used[g]) continue;
    renumbered[g] = static_cast<uint32_t>(kept.size());
    each_body(graphs[g], [&](GraphIndex& body) { used[body.index] = true; });
    kept.push_back(std::move(graphs[g]));
  }
  for (Graph& graph : kept) {
    each_body(graph, [&](GraphIndex& body) { body.index = renumbered[body.index]; });
  }
  graphs = std::move(kept);
}

}  // namespace medulla::tools
