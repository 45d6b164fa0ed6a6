// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/integer_model.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "tools/passes/pass.h"

namespace medulla::tools {
namespace {

size_t at(int32_t index) { return static_cast<size_t>(index); }

// Tensors that get one scale between them.
class Sharing {
 public:
  explicit Sharing(size_t tensors) : parents_(tensors) {
    std::iota(parents_.begin(), parents_.end(), size_t{0});
  }
  size_t find(size_t t) {
    while (parents_[t] != t) t = parents_[t] = parents_[parents_[t]];
    return t;
  }
  void join(size_t a, size_t b) { parents_[find(a)] = find(b); }

 private:
  std::vector<size_t> parents_;
};

Range joined(const Range& a, const Range& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// What is joined is copied, not rounded again, where that costs an input at most a bit or nobody
// else reads it.
void share_in_concats(const Graph& graph, const Plan& plan, const std::vector<Range>& ranges,
                      Sharing& sharing) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (node.op != "Concat" || plan.roles[n] != Role::window) continue;
    Range all = ranges[at(node.outputs[0])];
    for (const int32_t t : node.inputs) all = joined(all, ranges[at(source_of(graph, plan, t))]);
    for (const int32_t t : node.inputs) {
      const int32_t source = source_of(graph, plan, t);
      const bool own = source == t && graph.consumers(t).size() == 1 && !graph.is_output(t);
      if (own || ranges[at(source)].width() * 2 >= all.width()) {
        sharing.join(at(source), at(node.outputs[0]));
      }
    }
  }
}

std::set<std::string> passes_but(const std::set<std::string>& wanted) {
  std::set<std::string> left_out;
  for (const Pass& pass : all_passes()) {
    if (wanted.count(pass.name) == 0) left_out.insert(pass.name);
  }
  return left_out;
}

}  // namespace

IntegerNumbers IntegerModel::numbers_for(const Plan& plan) {
  const Graph& graph = model_.main();
  Sharing sharing(graph.tensors.size());
  share_in_concats(graph, plan, ranges_, sharing);
  std::vector<Range> shared(ranges_.size());
  for (size_t t = 0; t < ranges_.size(); ++t) {
    if (!plan.rounded[t]) continue;
    Range& range = shared[sharing.find(t)];
    range = joined(range, ranges_[t]);
  }
  IntegerNumbers numbers;
  numbers.tensors.resize(ranges_.size());
  for (size_t t = 0; t < ranges_.size(); ++t) {
    if (plan.rounded[t]) numbers.tensors[t] = quantization_of(shared[sharing.find(t)]);
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (plan.roles[n] != Role::layer) continue;
    const int32_t x = graph.nodes[n].inputs[0];
    const auto& q = numbers.tensors[at(source_of(graph, plan, x))];
    const auto found = made_.find(n);
    if (found == made_.end() || found->second.x != q.value()) {
      const Statistics* statistics = correct_bias_ ? &statistics_[at(x)] : nullptr;
      made_[n] = {*q, quantize_layer(graph, graph.nodes[n], *q, statistics)};
    }
    numbers.layers[n] = made_[n].constants;
  }
  return numbers;
}

bool IntegerModel::layers_fit() {
  bool fit = true;
  for (const auto& [n, constants] : numbers_.layers) {
    if (constants.overflow.empty()) continue;
    formless_.emplace(model_.main().nodes[n].name, constants.overflow);
    fit = false;
  }
  return fit;
}

// A node that was to become an integer node and still has a float32 output has no such form.
bool IntegerModel::all_formed(const Plan& plan, const Graph& formed) {
  std::map<std::string, const Node*> left;
  for (const Node& node : formed.nodes) {
    if (node.outputs.empty() || node.outputs[0] < 0) continue;
    if (formed.tensors[at(node.outputs[0])].dtype == MDL_FLOAT32) left[node.name] = &node;
  }
  bool all = true;
  const Graph& graph = model_.main();
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Role role = plan.roles[n];
    if (role == Role::kept || role == Role::fused || role == Role::passing) continue;
    const auto found = left.find(graph.nodes[n].name);
    if (found == left.end() || found->second->op != graph.nodes[n].op) continue;
    formless_.emplace(graph.nodes[n].name, "its attributes or numbers have no integer form");
    all = false;
  }
  return all;
}

Model IntegerModel::make(const std::set<std::string>& exempt) {
  static const std::set<std::string> left_out =
      passes_but({"form_integer_nodes", "common_subexpressions", "eliminate_dead"});
  while (true) {
    std::set<std::string> kept = exempt;
    for (const auto& [name, reason] : formless_) kept.insert(name);
    const Plan plan = make_plan(model_.main(), kept);
    numbers_ = numbers_for(plan);
    if (!layers_fit()) continue;
    Model made = model_;
    made.main() = insert_rounding(model_.main(), plan, numbers_);
    PassContext context;
    run_passes(made, left_out, context);
    if (!all_formed(plan, made.main())) continue;
    for (const std::string& text : context.refusals) throw std::runtime_error(text);
    return made;
  }
}

}  // namespace medulla::tools
