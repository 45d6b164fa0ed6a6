// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/equalize.h"

#include <algorithm>
#include <cmath>

#include "tools/passes/builder.h"
#include "tools/quantize/plan.h"
#include "tools/quantize/weights.h"

namespace medulla::tools {
namespace {

size_t at(int32_t index) { return static_cast<size_t>(index); }

// f(s * x) = s * f(x) for s > 0, channel by channel.
bool commutes(const Graph& graph, const Node& node) {
  if (node.op == "Relu" || node.op == "AveragePool" || node.op == "GlobalAveragePool" ||
      node.op == "MaxPool" || node.op == "LeakyRelu") {
    return true;
  }
  const bool reshapes = node.op == "Reshape" || node.op == "Flatten";
  return reshapes && graph.tensors[at(node.inputs[0])].dims.back() ==
                         graph.tensors[at(node.outputs[0])].dims.back();
}

class Equalizer {
 public:
  Equalizer(Graph& graph, const std::vector<Statistics>& statistics)
      : graph_(graph), statistics_(statistics), producers_(producers_of(graph)) {
    readers_.assign(graph.tensors.size(), 0);
    for (const Node& node : graph.nodes) {
      for (const int32_t t : node.inputs) {
        if (t >= 0) ++readers_[at(t)];
      }
    }
    for (const int32_t t : graph.outputs) ++readers_[at(t)];
    for (const State& state : graph.states) ++readers_[at(state.written)];
  }

  size_t run() {
    size_t count = 0;
    for (Node& node : graph_.nodes) {
      if (!is_layer(graph_, node)) continue;
      Node* first = layer_before(node);
      if (first != nullptr && equalize(*first, node)) ++count;
    }
    return count;
  }

 private:
  Node* layer_before(const Node& second) {
    int32_t t = second.inputs[0];
    while (readers_[at(t)] == 1 && producers_[at(t)] >= 0) {
      Node& node = graph_.nodes[at(producers_[at(t)])];
      if (is_layer(graph_, node)) return &node;
      if (!commutes(graph_, node)) return nullptr;
      t = node.inputs[0];
    }
    return nullptr;
  }

  bool equalize(Node& first, Node& second) {
    const WeightLayout before(graph_, first), after(graph_, second);
    const std::vector<float>& ranges = statistics_[at(second.inputs[0])].channel_greatest;
    const size_t channels = before.channels();
    if (ranges.size() != channels) return false;
    auto weights = values_of<float>(graph_.tensors[at(second.inputs[1])]);
    std::vector<double> met(channels, 0);
    for (size_t i = 0; i < weights.size(); ++i) {
      if (after.input(i) >= channels) return false;
      double& most = met[after.input(i)];
      most = std::max(most, std::abs(static_cast<double>(weights[i])));
    }
    const bool own = second.op == "Conv" && second.get<int64_t>("group", 1) > 1 &&
                     graph_.tensors[at(second.inputs[1])].dims.back() == 1;
    std::vector<double> factors(channels, 1);
    double logarithms = 0;
    size_t alive = 0;
    for (size_t c = 0; c < channels; ++c) {
      const auto a = static_cast<double>(ranges[c]);
      if (!(a > 1e-12) || !(met[c] > 1e-12)) continue;
      factors[c] = own ? a : std::sqrt(a / met[c]);
      logarithms += std::log(factors[c]);
      ++alive;
    }
    if (alive < 2) return false;
    const double middle = std::exp(logarithms / static_cast<double>(alive));
    constexpr double kMost = 64;  // further apart float32 and the bias in int32 would suffer
    for (size_t c = 0; c < channels; ++c) {
      const bool is_alive = ranges[c] > 1e-12f && met[c] > 1e-12;
      factors[c] = is_alive ? std::clamp(factors[c] / middle, 1 / kMost, kMost) : 1;
    }

    for (size_t i = 0; i < weights.size(); ++i) multiply(weights[i], factors[after.input(i)]);
    second.inputs[1] = constant(second.inputs[1], weights);
    auto made = values_of<float>(graph_.tensors[at(first.inputs[1])]);
    for (size_t i = 0; i < made.size(); ++i) multiply(made[i], 1 / factors[before.channel(i)]);
    first.inputs[1] = constant(first.inputs[1], made);
    rename_between(first, second);
    if (first.inputs.size() < 3 || first.inputs[2] < 0) return true;
    auto bias = values_of<float>(graph_.tensors[at(first.inputs[2])]);
    for (size_t c = 0; c < bias.size(); ++c) multiply(bias[c], 1 / factors[c % channels]);
    first.inputs[2] = constant(first.inputs[2], bias);
    return true;
  }

  // What lies between holds other numbers than the source's tensor of that name.
  void rename_between(const Node& first, const Node& second) {
    for (int32_t t = second.inputs[0];; t = graph_.nodes[at(producers_[at(t)])].inputs[0]) {
      graph_.tensors[at(t)].name += ".equalized";
      if (t == first.outputs[0]) return;
    }
  }

  static void multiply(float& value, double factor) {
    value = static_cast<float>(static_cast<double>(value) * factor);
  }

  // A constant may have other readers.
  int32_t constant(int32_t like, const std::vector<float>& values) {
    Tensor made = graph_.tensors[at(like)];
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    made.data = std::make_shared<const Bytes>(first, first + values.size() * sizeof(float));
    return graph_.add_tensor(std::move(made));
  }

  Graph& graph_;
  const std::vector<Statistics>& statistics_;
  std::vector<int32_t> producers_;
  std::vector<size_t> readers_;
};

}  // namespace

Model equalized(const Model& model, const std::vector<Statistics>& statistics, size_t* tensors) {
  Model made = model;
  *tensors = Equalizer(made.main(), statistics).run();
  made.main().compact();
  return made;
}

}  // namespace medulla::tools
