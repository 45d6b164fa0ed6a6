// SPDX-License-Identifier: Apache-2.0
#include "tools/import/onnx_uint8.h"

#include <algorithm>

#include "tools/import/boundary.h"
#include "tools/import/onnx_importer.h"

namespace medulla::tools {
namespace {

// Operators, of ONNX and of Medulla, that move elements of input 0 or choose among them by order.
constexpr const char* kMovers[] = {
    "Concat",   "DepthToSpace",    "Dropout",       "Expand",       "Flatten", "Gather",
    "GatherND", "GatherElements",  "GlobalMaxPool", "Identity",     "MaxPool", "Pad",
    "Reshape",  "ReverseSequence", "Slice",         "SpaceToDepth", "Split",   "Squeeze",
    "Tile",     "Transpose",       "Unsqueeze"};

bool is_mover(const std::string& op) {
  return std::find(std::begin(kMovers), std::end(kMovers), op) != std::end(kMovers);
}

template <class T>
bool contains(const std::vector<T>& values, T value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool reads_quantized(const OnnxNode& node, size_t i) {
  const std::string& op = node.op();
  const Tensor& tensor = node.build.tensor(node.input(i));
  if (op == "DequantizeLinear") return i == 0;
  if (op == "QLinearConv" || op == "QLinearMatMul") return i == 0 || i == 3;
  if (tensor.quantization->scales.size() > 1) return op == "Transpose" || op == "Identity";
  if (op == "Concat") {
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](int32_t t) {
      return node.build.tensor(t).quantization == tensor.quantization;
    });
  }
  if (op == "MaxPool" && node.has_output(1)) return false;
  if (op == "Resize" || op == "Upsample") {
    return i == 0 && node.string_or("mode", "nearest") == "nearest" &&
           node.string_or("coordinate_transformation_mode", "") != "tf_crop_and_resize";
  }
  return i == 0 && is_mover(op);
}

class Shifter {
 public:
  explicit Shifter(Graph& graph)
      : graph_(graph), neighbors_(graph.tensors.size()), done_(graph.tensors.size()) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const auto* ids : {&graph.nodes[n].inputs, &graph.nodes[n].outputs}) {
        for (const int32_t t : *ids) {
          if (t >= 0) neighbors_[static_cast<size_t>(t)].push_back(n);
        }
      }
    }
    for (const auto* ids : {&graph.inputs, &graph.outputs}) {
      for (const int32_t t : *ids) outside_.insert(t);
    }
  }

  void run() {
    const auto count = static_cast<int32_t>(graph_.tensors.size());
    for (int32_t t = 0; t < count; ++t) {
      if (is_quantized(t) && !done_[static_cast<size_t>(t)]) shift_from(t);
    }
    put_between();
  }

 private:
  bool is_quantized(int32_t t) const {
    const Tensor& tensor = graph_.tensors[static_cast<size_t>(t)];
    return tensor.dtype == MDL_UINT8 && tensor.quantization.has_value();
  }

  // The tensor, and all that its elements are moved from and to.
  void shift_from(int32_t first) {
    std::vector<int32_t> all = {first};
    std::set<size_t> pads, ends;
    bool apart = true;
    done_[static_cast<size_t>(first)] = true;
    for (size_t i = 0; i < all.size(); ++i) {
      apart = apart && outside_.count(all[i]) == 0;
      for (const size_t n : neighbors_[static_cast<size_t>(all[i])]) {
        const Node& node = graph_.nodes[n];
        if (node.op == "QuantizeLinear" || node.op == "DequantizeLinear") {
          ends.insert(n);
          continue;
        }
        if (!is_mover(node.op) && node.op != "Resize") {
          apart = false;
          continue;
        }
        if (node.op == "Pad") pads.insert(n);
        for (const auto* ids : {&node.inputs, &node.outputs}) {
          for (const int32_t t : *ids) {
            if (t < 0 || !is_quantized(t) || done_[static_cast<size_t>(t)]) continue;
            done_[static_cast<size_t>(t)] = true;
            all.push_back(t);
          }
        }
      }
    }
    if (!apart) {
      if (per_tensor(first)) ends_.insert(ends.begin(), ends.end());
      return;
    }
    for (const int32_t t : all) shift(graph_.tensors[static_cast<size_t>(t)]);
    for (const size_t n : pads) {
      graph_.nodes[n].attributes["value"] = graph_.nodes[n].get<double>("value", 0) - 128;
    }
  }

  static void shift(Tensor& tensor) {
    tensor.dtype = MDL_INT8;
    for (int32_t& z : tensor.quantization->zero_points) z -= 128;
    if (!tensor.data) return;
    Bytes bytes = *tensor.data;
    for (std::byte& b : bytes) b ^= std::byte{0x80};
    tensor.data = std::make_shared<const Bytes>(std::move(bytes));
  }

  bool per_tensor(int32_t t) const {
    return graph_.tensors[static_cast<size_t>(t)].quantization->scales.size() == 1;
  }

  // What comes before uint8 that stays makes int8, and what follows reads that, through the real
  // numbers, which is exact.
  void put_between() {
    std::vector<Node> nodes;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      Node node = std::move(graph_.nodes[n]);
      if (ends_.count(n) == 0) {
        nodes.push_back(std::move(node));
        continue;
      }
      const bool writes = node.op == "QuantizeLinear";
      const int32_t of = writes ? node.outputs[0] : node.inputs[0];
      Tensor inner = graph_.tensors[static_cast<size_t>(of)];
      inner.data = nullptr;
      shift(inner);
      Tensor real = inner;
      real.dtype = MDL_FLOAT32;
      real.quantization.reset();
      const int32_t i = graph_.add_tensor(std::move(inner));
      const int32_t r = graph_.add_tensor(std::move(real));
      const std::string second = writes ? "DequantizeLinear" : "QuantizeLinear";
      const int32_t a = writes ? i : r, b = writes ? r : i;
      nodes.push_back({node.name, node.op, 1, node.attributes, {node.inputs[0]}, {a}});
      nodes.push_back({node.name + ".between", second, 1, {}, {a}, {b}});
      nodes.push_back({node.name + ".last", node.op, 1, {}, {b}, {node.outputs[0]}});
    }
    graph_.nodes = std::move(nodes);
  }

  Graph& graph_;
  std::vector<std::vector<size_t>> neighbors_;  // nodes, by tensor
  std::vector<bool> done_;
  std::set<int32_t> outside_;
  std::set<size_t> ends_;  // nodes that quantize to or dequantize uint8 that stays
};

}  // namespace

std::vector<int32_t> inputs_as_read(const OnnxNode& node) {
  std::vector<int32_t> inputs = node.inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] < 0 || !node.build.tensor(inputs[i]).quantization) continue;
    if (!reads_quantized(node, i)) inputs[i] = plain_integers(node.build, inputs[i]);
  }
  return inputs;
}

bool adopt(const OnnxNode& node, int32_t q, const Quantization& quantization) {
  Graph& graph = node.build.graph();
  // What a body gets is what the graph around it gives.
  if (static_cast<const OnnxImporter*>(node.scope)->is_body()) return false;
  std::vector<int32_t> all = {q};
  const auto add = [&](const std::vector<int32_t>& ids) {
    for (const int32_t id : ids) {
      const bool is_data = id >= 0 && node.build.tensor(id).dtype == node.build.tensor(q).dtype;
      if (is_data && !contains(all, id)) all.push_back(id);
    }
  };
  for (size_t i = 0; i < all.size(); ++i) {
    bool made = graph.is_constant(all[i]) || contains(graph.inputs, all[i]);
    for (const Node& n : graph.nodes) {
      const bool makes = contains(n.outputs, all[i]);
      if (!makes && !contains(n.inputs, all[i])) continue;
      const bool moves = is_mover(n.op) && (n.outputs.size() == 1 || n.op == "Split");
      if (!moves || quantization.scales.size() > 1) return false;
      made |= makes;
      add(n.inputs);
      add(n.outputs);
    }
    if (!made || node.build.tensor(all[i]).quantization) return false;
  }
  for (const int32_t t : all) graph.tensors[static_cast<size_t>(t)].quantization = quantization;
  return true;
}

void shift_uint8(Graph& graph) { Shifter(graph).run(); }

}  // namespace medulla::tools
