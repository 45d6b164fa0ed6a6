// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/plan.h"

#include <algorithm>

#include "tools/common/integer_forms.h"

namespace medulla::tools {
namespace {

size_t at(int32_t index) { return static_cast<size_t>(index); }

class Planner {
 public:
  Planner(const Graph& graph, const std::set<std::string>& exempt)
      : graph_(graph), exempt_(exempt), producers_(producers_of(graph)) {
    readers_.resize(graph.tensors.size());
    outside_.assign(graph.tensors.size(), false);
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const int32_t t : graph.nodes[n].inputs) {
        if (t >= 0) readers_[at(t)].push_back(n);
      }
    }
    for (const int32_t t : graph.outputs) outside_[at(t)] = true;
    for (const State& state : graph.states) outside_[at(state.written)] = true;
    plan_.roles.assign(graph.nodes.size(), Role::kept);
    plan_.rounded.assign(graph.tensors.size(), false);
    roots_.assign(graph.nodes.size(), -1);
    integers_.assign(graph.nodes.size(), false);
  }

  Plan make() {
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      plan_.roles[n] = first_role(n);
      integers_[n] = plan_.roles[n] == Role::mover ? from_integers(graph_.nodes[n])
                                                   : plan_.roles[n] != Role::kept;
    }
    for (size_t n = graph_.nodes.size(); n-- > 0;) plan_.roles[n] = role_for_readers(n);
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      const auto id = static_cast<int32_t>(t);
      const bool shared = producers_[t] >= 0 && plan_.roles[at(producers_[t])] == Role::mover;
      plan_.rounded[t] = is_activation(id) && !shared && read_by_end(id) == nullptr && needed(id);
    }
    return std::move(plan_);
  }

 private:
  const Tensor& tensor(int32_t t) const { return graph_.tensors[at(t)]; }
  bool is_activation(int32_t t) const {
    return t >= 0 && tensor(t).dtype == MDL_FLOAT32 && !tensor(t).data;
  }
  Role role_of_producer(int32_t t) const {
    const int32_t n = producers_[at(t)];
    return n < 0 ? Role::kept : plan_.roles[at(n)];
  }
  std::vector<int32_t> activations(const Node& node) const {
    std::vector<int32_t> list;
    for (const int32_t t : node.inputs) {
      if (is_activation(t)) list.push_back(t);
    }
    return list;
  }

  bool from_integers(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](int32_t t) {
      return is_activation(t) && producers_[at(t)] >= 0 && integers_[at(producers_[at(t)])];
    });
  }

  // The tensor that an elementwise node is a function of, or -1.
  int32_t root_of(const Node& node) const {
    int32_t root = -1;
    for (const int32_t t : node.inputs) {
      if (t < 0) continue;
      if (!is_activation(t)) {
        if (tensor(t).elements() != 1 || tensor(t).dtype != MDL_FLOAT32) return -1;
        continue;
      }
      const bool through = role_of_producer(t) == Role::function;
      const int32_t of = through ? roots_[at(producers_[at(t)])] : t;
      if (root >= 0 && root != of) return -1;
      root = of;
    }
    return root;
  }

  // An activation whose clipping the rounding of the node before it does.
  bool ends_producer(const Node& node) const {
    if (node.op != "Relu" && node.op != "Clip") return false;
    const int32_t x = node.inputs[0];
    if (!is_activation(x) || readers_[at(x)].size() != 1 || outside_[at(x)]) return false;
    const Role role = role_of_producer(x);
    const Node* before = producers_[at(x)] < 0 ? nullptr : &graph_.nodes[at(producers_[at(x)])];
    return role == Role::layer || role == Role::product || role == Role::join ||
           role == Role::fused || (role == Role::window && before->op != "Concat");
  }

  // By what comes in: forward.
  Role first_role(size_t n) {
    const Node& node = graph_.nodes[n];
    if (node.outputs.empty() || !is_activation(node.outputs[0])) return Role::kept;
    const bool exempt = exempt_.count(node.name) > 0;
    if (exempt) return Role::kept;
    if (is_layer(graph_, node)) return Role::layer;
    const std::vector<int32_t> inputs = activations(node);
    if (node.op == "MatMul") return inputs.size() == 2 ? Role::product : Role::kept;
    // A mover hands the need of its reader on, whatever comes in.
    if (is_mover(node)) return Role::mover;
    if (!from_integers(node)) return Role::kept;
    if (ends_producer(node)) return Role::fused;
    if (is_among(node.op, kElementwiseForms)) {
      roots_[n] = root_of(node);
      const int32_t y = node.outputs[0];
      if (roots_[n] >= 0 && tensor(roots_[n]).dims == tensor(y).dims) return Role::function;
    }
    const bool floats = std::all_of(node.inputs.begin(), node.inputs.end(), [&](int32_t t) {
      return t >= 0 && tensor(t).dtype == MDL_FLOAT32;
    });
    if (node.op == "Add" || node.op == "Sub" || node.op == "Mul") {
      return floats ? Role::join : Role::kept;
    }
    if (node.op == "Concat")
      return floats && inputs.size() == node.inputs.size() ? Role::window : Role::kept;
    return is_among(node.op, kOtherForms) ? Role::window : Role::kept;
  }

  bool is_mover(const Node& node) const {
    if (node.op == "Resize") return node.get<std::string>("mode", "nearest") == "nearest";
    if (!is_among(node.op, kMoverForms) || !is_activation(node.inputs[0])) return false;
    // 0 has an integer in any quantization; other constants may not.
    return node.op != "Pad" || node.get<std::string>("mode", "constant") != "constant" ||
           node.get<double>("value", 0) == 0;
  }

  // The only reader of a tensor, when it ends what makes the tensor.
  const Node* read_by_end(int32_t t) const {
    if (readers_[at(t)].size() != 1) return nullptr;
    const size_t reader = readers_[at(t)][0];
    return plan_.roles[reader] == Role::fused ? &graph_.nodes[reader] : nullptr;
  }

  // Whether a reader wants the tensor in int8.
  bool needed(int32_t t) const {
    if (!is_activation(t)) return false;
    if (const Node* end = read_by_end(t)) return needed(end->outputs[0]);
    return std::any_of(readers_[at(t)].begin(), readers_[at(t)].end(), [&](size_t reader) {
      const Role role = plan_.roles[reader];
      if (role == Role::function || role == Role::passing) return roots_[reader] == t;
      const bool weights = role == Role::layer && graph_.nodes[reader].inputs[0] != t;
      return role != Role::kept && !weights;
    });
  }

  // On the way to a table that takes it in.
  bool passes(const Node& node) const {
    return std::any_of(readers_[at(node.outputs[0])].begin(), readers_[at(node.outputs[0])].end(),
                       [&](size_t reader) {
                         return plan_.roles[reader] == Role::function ||
                                plan_.roles[reader] == Role::passing;
                       });
  }

  // By who reads what comes out: backward.
  Role role_for_readers(size_t n) const {
    const Role role = plan_.roles[n];
    if (role == Role::kept || role == Role::layer || role == Role::product) return role;
    const Node& node = graph_.nodes[n];
    const bool wanted = std::any_of(node.outputs.begin(), node.outputs.end(),
                                    [&](int32_t t) { return t >= 0 && needed(t); });
    if (wanted) return role;
    return role == Role::function && passes(node) ? Role::passing : Role::kept;
  }

  const Graph& graph_;
  const std::set<std::string>& exempt_;
  std::vector<int32_t> producers_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<bool> outside_;   // read by an output or a state
  std::vector<int32_t> roots_;  // by functions
  std::vector<bool> integers_;  // by node: what it makes comes from integers
  Plan plan_;
};

}  // namespace

std::vector<int32_t> producers_of(const Graph& graph) {
  std::vector<int32_t> producers(graph.tensors.size(), -1);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const int32_t t : graph.nodes[n].outputs) {
      if (t >= 0) producers[at(t)] = static_cast<int32_t>(n);
    }
  }
  return producers;
}

bool is_layer(const Graph& graph, const Node& node) {
  if (!is_among(node.op, kLayerForms) || node.inputs.size() < 2 || node.inputs[1] < 0) return false;
  const auto is_float = [&](size_t i, bool constant) {
    const Tensor& tensor = graph.tensors[at(node.inputs[i])];
    return tensor.dtype == MDL_FLOAT32 && (tensor.data != nullptr) == constant;
  };
  if (!is_float(0, false) || !is_float(1, true)) return false;
  const bool bias = node.inputs.size() > 2 && node.inputs[2] >= 0;
  if (bias && !is_float(2, true)) return false;
  if (node.op == "ConvTranspose") return node.get<int64_t>("group", 1) == 1;
  const size_t rank = graph.tensors[at(node.inputs[1])].dims.size();
  if (node.op == "Gemm") {
    return node.get<int64_t>("transA", 0) == 0 && node.get<double>("alpha", 1) == 1 &&
           node.get<double>("beta", 1) == 1;
  }
  return node.op != "MatMul" || rank == 2;
}

int32_t source_of(const Graph& graph, const Plan& plan, int32_t tensor) {
  while (!plan.rounded[at(tensor)]) {
    const int32_t n = graph.producer(tensor);
    if (n < 0 || plan.roles[at(n)] != Role::mover) return tensor;
    tensor = graph.nodes[at(n)].inputs[0];
  }
  return tensor;
}

Plan make_plan(const Graph& graph, const std::set<std::string>& exempt) {
  return Planner(graph, exempt).make();
}

}  // namespace medulla::tools
