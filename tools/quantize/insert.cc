// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/insert.h"

#include <algorithm>

#include "tools/passes/integer.h"
#include "tools/passes/rewriter.h"
#include "tools/quantize/ranges.h"

namespace medulla::tools {
namespace {

class Inserter {
 public:
  Inserter(const Graph& graph, const Plan& plan, const IntegerNumbers& numbers)
      : rewrite_(graph), plan_(plan), numbers_(numbers), rounded_(graph.tensors.size(), -1) {}

  Graph run() {
    for (const int32_t t : rewrite_.from.inputs) {
      if (plan_.rounded[static_cast<size_t>(t)]) round(t, false);
    }
    for (const State& state : rewrite_.from.states) {
      if (plan_.rounded[static_cast<size_t>(state.tensor)]) round(state.tensor, false);
    }
    for (size_t n = 0; n < rewrite_.from.nodes.size(); ++n) add(n);
    return rewrite_.finish();
  }

 private:
  void add(size_t n) {
    const Node& node = rewrite_.from.nodes[n];
    const Role role = plan_.roles[n];
    const bool integers = role != Role::kept && role != Role::fused;
    Node copy = node;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int32_t t = node.inputs[i];
      const int32_t dequantized = t < 0 ? -1 : rounded_[static_cast<size_t>(t)];
      copy.inputs[i] = integers && dequantized >= 0 ? dequantized : rewrite_.at(t);
    }
    if (role == Role::layer) set_constants(n, copy);
    if (role == Role::join) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const Tensor& tensor = rewrite_.tensor(node.inputs[i]);
        if (tensor.data) copy.inputs[i] = rounded_constant(tensor);
      }
    }
    for (int32_t& t : copy.outputs) t = rewrite_.at(t);
    rewrite_.to.nodes.push_back(std::move(copy));
    for (const int32_t t : node.outputs) {
      if (t >= 0 && plan_.rounded[static_cast<size_t>(t)]) round(t, role != Role::kept);
    }
  }

  // `hides`: what reads the tensor reads what is left of it after the rounding.
  void round(int32_t t, bool hides) {
    const std::string name = rewrite_.tensor(t).name;
    const int32_t raw = rewrite_.at(t);
    Builder& build = rewrite_.build;
    build.set_name(hides ? name : name + ".rounded");
    if (hides) rewrite_.to.tensors[static_cast<size_t>(raw)].name = name + ".exact";
    const auto& q = numbers_.tensors[static_cast<size_t>(t)];
    const int32_t q8 = build.add_typed("QuantizeLinear", {raw}, {}, MDL_INT8, q);
    rewrite_.to.nodes.back().name = name + ".quantize";  // nodes keep their names
    build.set_name(name + ".dequantized");
    const int32_t real = build.add("DequantizeLinear", {q8});
    rounded_[static_cast<size_t>(t)] = real;
    if (hides) rewrite_.set(t, real);
  }

  void set_constants(size_t n, Node& layer) {
    const LayerConstants& constants = numbers_.layers.at(n);
    Builder& build = rewrite_.build;
    build.set_name(constants.weights.name + ".dequantized");
    layer.inputs[1] = build.add("DequantizeLinear", {build.add_tensor(constants.weights)});
    if (constants.bias.empty()) return;
    build.set_name(layer.name + ".bias");
    layer.inputs.resize(3);
    layer.inputs[2] =
        build.constant(MDL_FLOAT32, {static_cast<int64_t>(constants.bias.size())}, constants.bias);
  }

  int32_t rounded_constant(const Tensor& tensor) {
    Statistics ends;
    for (const float v : values_of<float>(tensor)) {
      ends.low = std::min(ends.low, static_cast<double>(v));
      ends.high = std::max(ends.high, static_cast<double>(v));
    }
    Tensor made = tensor;
    made.dtype = MDL_INT8;
    made.quantization = quantization_of(choose_range(ends, RangeMethod::min_max));
    Bytes bytes;
    for (const float v : values_of<float>(tensor)) {
      const int32_t q = quantize(static_cast<double>(v), *made.quantization);
      bytes.push_back(static_cast<std::byte>(static_cast<int8_t>(q)));
    }
    made.data = std::make_shared<const Bytes>(std::move(bytes));
    rewrite_.build.set_name(tensor.name + ".dequantized");
    return rewrite_.build.add("DequantizeLinear", {rewrite_.build.add_tensor(std::move(made))});
  }

  Rewriter rewrite_;
  const Plan& plan_;
  const IntegerNumbers& numbers_;
  std::vector<int32_t> rounded_;  // the DequantizeLinear behind a tensor, in the new graph
};

}  // namespace

Graph insert_rounding(const Graph& graph, const Plan& plan, const IntegerNumbers& numbers) {
  return Inserter(graph, plan, numbers).run();
}

}  // namespace medulla::tools
