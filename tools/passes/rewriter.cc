// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/rewriter.h"

#include <set>
#include <unordered_map>
#include <unordered_set>

namespace medulla::tools {
namespace {

std::string free_name(const std::string& wanted, std::unordered_set<std::string>& taken,
                      std::unordered_map<std::string, size_t>& last) {
  if (taken.insert(wanted).second) return wanted;
  for (size_t& n = last[wanted];;) {
    const std::string name = wanted + "." + std::to_string(++n);
    if (taken.insert(name).second) return name;
  }
}

}  // namespace

Rewriter::Rewriter(const Graph& graph) : from(graph), build(to) {
  const size_t count = graph.tensors.size();
  map_.assign(count, -1);
  producers_.assign(count, nullptr);
  readers_.assign(count, nullptr);
  uses_.assign(count, 0);
  for (const Node& node : graph.nodes) {
    for (const int32_t t : node.inputs) {
      if (t < 0) continue;
      ++uses_[static_cast<size_t>(t)];
      readers_[static_cast<size_t>(t)] = &node;
    }
    for (const int32_t t : node.outputs) {
      if (t >= 0) producers_[static_cast<size_t>(t)] = &node;
    }
  }
  for (const int32_t t : graph.outputs) ++uses_[static_cast<size_t>(t)];
  for (const State& state : graph.states) ++uses_[static_cast<size_t>(state.written)];
  to.name = graph.name;
  for (const int32_t t : graph.inputs) to.inputs.push_back(at(t));
}

int32_t Rewriter::at(int32_t id) {
  if (id < 0) return -1;
  int32_t& mapped = map_[static_cast<size_t>(id)];
  if (mapped < 0) {
    to.tensors.push_back(tensor(id));
    mapped = static_cast<int32_t>(to.tensors.size()) - 1;
  }
  return mapped;
}

void Rewriter::keep(const Node& node) {
  Node copy = node;
  for (int32_t& t : copy.inputs) t = at(t);
  for (int32_t& t : copy.outputs) t = at(t);
  to.nodes.push_back(std::move(copy));
}

const Node* Rewriter::producer(int32_t id) const {
  return id < 0 ? nullptr : producers_[static_cast<size_t>(id)];
}

const Node* Rewriter::producer(int32_t id, const char* op) const {
  const Node* node = producer(id);
  return node != nullptr && node->op == op ? node : nullptr;
}

std::optional<double> Rewriter::number(int32_t id) const {
  if (id < 0) return {};
  const Tensor& t = tensor(id);
  if (!t.data || t.dtype != MDL_FLOAT32 || t.elements() != 1) return {};
  return static_cast<double>(values_of<float>(t)[0]);
}

const Node* Rewriter::only_reader(int32_t id) const {
  return uses(id) == 1 ? readers_[static_cast<size_t>(id)] : nullptr;
}

Graph Rewriter::finish() {
  // An output is a tensor of its own that a node makes.
  std::set<int32_t> taken(to.inputs.begin(), to.inputs.end());
  for (const State& state : from.states) taken.insert(at(state.tensor));
  const auto own = [&](int32_t old) {
    int32_t id = at(old);
    if (to.is_constant(id) || !taken.insert(id).second) {
      build.set_name(tensor(old).name);
      Tensor copy = to.tensors[static_cast<size_t>(id)];
      copy.data = nullptr;
      to.tensors.push_back(copy);
      const int32_t output = static_cast<int32_t>(to.tensors.size()) - 1;
      to.nodes.push_back({tensor(old).name, "Identity", 1, {}, {id}, {output}});
      taken.insert(output);
      id = output;
    }
    to.tensors[static_cast<size_t>(id)].name = tensor(old).name;
    return id;
  };
  for (const int32_t t : from.outputs) to.outputs.push_back(own(t));
  for (State state : from.states) {
    state.tensor = at(state.tensor);
    state.written = own(state.written);
    to.states.push_back(state);
  }
  to.compact();
  make_names_unique(to);
  return std::move(to);
}

void make_names_unique(Graph& graph) {
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, size_t> last;
  std::vector<bool> done(graph.tensors.size());
  const auto name = [&](int32_t t) {
    const auto at = static_cast<size_t>(t);
    if (!done[at]) graph.tensors[at].name = free_name(graph.tensors[at].name, taken, last);
    done[at] = true;
  };
  for (const int32_t t : graph.inputs) name(t);
  for (const int32_t t : graph.outputs) name(t);
  for (const State& state : graph.states) name(state.tensor);
  for (size_t t = 0; t < graph.tensors.size(); ++t) name(static_cast<int32_t>(t));
  taken.clear();
  last.clear();
  for (Node& node : graph.nodes) node.name = free_name(node.name, taken, last);
}

}  // namespace medulla::tools
