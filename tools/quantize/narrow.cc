// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/narrow.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>

#include "src/ops/number.h"
#include "tools/passes/rewriter.h"
#include "tools/quantize/weights.h"

namespace medulla::tools {
namespace {

// What one more node and tensor take in a file's header, about.
constexpr size_t kNodeBytes = 320;
constexpr float kGreatestFloat16 = 65504;

// Which inputs of a node are weights, and the axis of their output channels.
struct Weights {
  size_t input;
  int32_t axis;  // -1: the last
};
std::vector<Weights> weights_of(const Node& node) {
  if (node.op == "Conv" || node.op == "ConvTranspose") return {{1, 0}};
  if (node.op == "MatMul") return {{1, -1}};
  if (node.op == "Gemm") return {{1, node.get<int64_t>("transB", 0) == 0 ? 1 : 0}};
  if (node.op == "LSTM" || node.op == "GRU" || node.op == "RNN") return {{1, 1}, {2, 1}};
  if (node.op == "Gather") return {{0, 0}};
  return {};
}

struct Constant {
  WeightForm form = WeightForm::float32;
  int32_t axis = 0;
};

size_t bytes_in(WeightForm form, size_t elements, size_t channels) {
  switch (form) {
    case WeightForm::int8:
      return elements + channels * (sizeof(float) + sizeof(int32_t)) + kNodeBytes;
    case WeightForm::float16:
      return 2 * elements + kNodeBytes;
    case WeightForm::float32:
      break;
  }
  return 4 * elements;
}

Tensor to_float16(const Tensor& from) {
  Bytes bytes;
  for (const float value : values_of<float>(from)) {
    const auto half =
        std::bit_cast<std::array<std::byte, 2>>(Float16::narrow(static_cast<double>(value)));
    bytes.insert(bytes.end(), half.begin(), half.end());
  }
  Tensor made = from;
  made.dtype = MDL_FLOAT16;
  made.data = std::make_shared<const Bytes>(std::move(bytes));
  return made;
}

class Narrower {
 public:
  Narrower(const Graph& graph, WeightForm form, const std::set<std::string>& exempt,
           std::vector<StoredWeights>* stored)
      : rewrite_(graph), form_(form), stored_(stored), constants_(graph.tensors.size()) {
    std::vector<bool> fixed(graph.tensors.size(), false);
    for (const int32_t t : graph.outputs) fixed[static_cast<size_t>(t)] = true;
    for (const Node& node : graph.nodes) {
      const bool kept = exempt.count(node.name) > 0;
      for (const int32_t t : node.inputs) {
        if (kept && t >= 0) fixed[static_cast<size_t>(t)] = true;
      }
    }
    for (const Node& node : graph.nodes) {
      for (const Weights& weights : weights_of(node)) {
        if (weights.input >= node.inputs.size() || node.inputs[weights.input] < 0) continue;
        const auto t = static_cast<size_t>(node.inputs[weights.input]);
        if (!fixed[t]) choose(node, graph.tensors[t], weights.axis, constants_[t]);
        fixed[t] = true;
      }
    }
  }

  Graph run() {
    for (const Node& node : rewrite_.from.nodes) {
      for (const int32_t t : node.inputs) {
        if (t >= 0) widen(t);
      }
      rewrite_.keep(node);
    }
    return rewrite_.finish();
  }

 private:
  void choose(const Node& reader, const Tensor& tensor, int32_t axis, Constant& constant) {
    if (tensor.data == nullptr || tensor.dtype != MDL_FLOAT32 || tensor.dims.empty()) return;
    constant.axis = axis < 0 ? static_cast<int32_t>(tensor.dims.size()) - 1 : axis;
    const auto channels = static_cast<size_t>(tensor.dims[static_cast<size_t>(constant.axis)]);
    const size_t elements = tensor.elements();
    const std::vector<float> values = values_of<float>(tensor);
    const auto within = [&](float most) {
      return std::all_of(values.begin(), values.end(),
                         [most](float v) { return std::abs(v) <= most; });
    };
    const size_t before = bytes_in(WeightForm::float32, elements, channels);
    size_t after = before;
    for (const WeightForm form : {WeightForm::float16, form_}) {
      const size_t bytes = bytes_in(form, elements, channels);
      if (bytes >= after || !within(form == WeightForm::float16 ? kGreatestFloat16 : FLT_MAX)) {
        continue;
      }
      constant.form = form;
      after = bytes;
    }
    stored_->push_back({reader.name, tensor.name, reader.op, constant.form, before, after});
  }

  void widen(int32_t t) {
    Constant& constant = constants_[static_cast<size_t>(t)];
    if (constant.form == WeightForm::float32) return;
    const Tensor& tensor = rewrite_.tensor(t);
    Builder& build = rewrite_.build;
    const bool half = constant.form == WeightForm::float16;
    Tensor narrow = half ? to_float16(tensor) : quantize_constant(tensor, constant.axis, {});
    narrow.name += half ? ".float16" : ".int8";
    build.set_name(tensor.name);
    const int32_t from = build.add_tensor(std::move(narrow));
    Node node;
    node.name = tensor.name;
    node.op = half ? "Cast" : "DequantizeLinear";
    node.inputs = {from};
    if (half) node.attributes["to"] = int64_t{MDL_FLOAT32};
    Tensor wide = tensor;
    wide.data = nullptr;
    node.outputs = {build.add_tensor(std::move(wide))};
    rewrite_.set(t, node.outputs[0]);
    rewrite_.to.nodes.push_back(std::move(node));
    constant.form = WeightForm::float32;  // done
  }

  Rewriter rewrite_;
  const WeightForm form_;
  std::vector<StoredWeights>* stored_;
  std::vector<Constant> constants_;  // by tensor
};

}  // namespace

Model narrowed(const Model& model, WeightForm form, const std::set<std::string>& exempt,
               std::vector<StoredWeights>* stored) {
  Model made = model;
  stored->clear();
  if (form == WeightForm::float32) return made;
  for (Graph& graph : made.graphs) graph = Narrower(graph, form, exempt, stored).run();
  return made;
}

}  // namespace medulla::tools
