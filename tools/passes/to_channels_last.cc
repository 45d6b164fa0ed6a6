// SPDX-License-Identifier: Apache-2.0
//   x -> T -> Conv -> T' -> Relu -> T -> Conv -> T' -> y     x -> T -> Conv -> Relu -> Conv -> T'
//   -> y
//
// Importers put a Transpose before and behind every image operator. Here they travel down, through
// what does not care about the order of dimensions, until they cancel. Inputs and outputs of the
// graph keep the source's layout, at the price of one Transpose each.
#include <algorithm>
#include <set>

#include "tools/passes/layout.h"
#include "tools/passes/pass.h"

namespace medulla::tools {
namespace {

using Names = std::set<std::string>;

const Names kUnary = {"Abs",
                      "Cast",
                      "Clip",
                      "DequantizeLinear",
                      "Elu",
                      "Erf",
                      "Exp",
                      "Gelu",
                      "HardSigmoid",
                      "HardSwish",
                      "Identity",
                      "Log",
                      "LeakyRelu",
                      "Neg",
                      "QuantizeLinear",
                      "Reciprocal",
                      "Relu",
                      "Sigmoid",
                      "Sqrt",
                      "Swish",
                      "Tanh"};
const Names kBinary = {"Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"};
const Names kReduce = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"};
const Names kViews = {"Flatten", "Reshape", "Squeeze", "Unsqueeze"};

Dims moved_axes(const Dims& axes, const Dims& perm) {
  Dims moved;
  for (const int64_t a : axes) moved.push_back(perm[static_cast<size_t>(a)]);
  return moved;
}

// Begins, then ends.
template <class T>
std::vector<T> moved_halves(const std::vector<T>& values, const Dims& perm) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(perm.size());
  std::vector<T> moved = permuted(std::vector<T>(values.begin(), middle), invert(perm));
  const std::vector<T> ends = permuted(std::vector<T>(middle, values.end()), invert(perm));
  moved.insert(moved.end(), ends.begin(), ends.end());
  return moved;
}

class ToChannelsLast {
 public:
  ToChannelsLast(const Graph& graph, const PassContext& context)
      : rewrite_(graph), layout_(rewrite_) {
    if (!context.input_nhwc) return;
    for (const int32_t t : graph.inputs) {
      Tensor& input = rewrite_.to.tensors[static_cast<size_t>(rewrite_.at(t))];
      const size_t rank = input.dims.size();
      if (rank < 3 || rank > 5) continue;
      input.dims = permuted(input.dims, to_channels_last_perm(rank));
      if (!input.symbols.empty()) {
        input.symbols = permuted(input.symbols, to_channels_last_perm(rank));
      }
      layout_.set_pending(t, to_channels_first_perm(rank));
    }
  }

  Graph run() {
    for (const Node& node : rewrite_.from.nodes) visit(node);
    for (const int32_t t : rewrite_.from.outputs) rewrite_.set(t, layout_.plain(t));
    for (const State& state : rewrite_.from.states) {
      rewrite_.set(state.written, layout_.plain(state.written));
    }
    return rewrite_.finish();
  }

 private:
  void visit(const Node& node) {
    if (node.op == "Transpose") {
      const auto perm = node.get<Dims>("perm", {});
      const int32_t x = node.inputs[0];
      return layout_.set(node.outputs[0], layout_.raw(x), compose(layout_.perm(x), perm));
    }
    if (kBinary.count(node.op) > 0 || node.op == "Concat") return several(node);
    if (kViews.count(node.op) > 0) return layout_.reshape(node);
    if (!layout_.pending(node.inputs.empty() ? -1 : node.inputs[0])) return layout_.keep(node);
    if (kUnary.count(node.op) > 0) return through(node, node.attributes);
    if (kReduce.count(node.op) > 0) return reduce(node);
    Attributes attributes = node.attributes;
    const Dims& perm = layout_.perm(node.inputs[0]);
    if (node.op == "Softmax" || node.op == "LogSoftmax" || node.op == "Split") {
      const auto rank = static_cast<int64_t>(perm.size());
      const auto axis = node.get<int64_t>("axis", -1);
      attributes["axis"] = perm[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
    } else if (node.op == "Slice") {
      attributes["axes"] = moved_axes(node.get<Dims>("axes", {}), perm);
    } else if (node.op == "Pad") {
      attributes["pads"] = moved_halves(node.get<Dims>("pads", {}), perm);
    } else if (node.op == "Tile") {
      attributes["repeats"] = permuted(node.get<Dims>("repeats", {}), invert(perm));
    } else if (node.op == "Resize") {
      for (const char* name : {"scales", "roi"}) {
        if (node.attributes.count(name) == 0) continue;
        const auto values = node.get<std::vector<double>>(name, {});
        attributes[name] = values.size() > perm.size() ? moved_halves(values, perm)
                                                       : permuted(values, invert(perm));
      }
      if (node.attributes.count("sizes") > 0) {
        attributes["sizes"] = permuted(node.get<Dims>("sizes", {}), invert(perm));
      }
    } else {
      return layout_.keep(node);
    }
    through(node, std::move(attributes));
  }

  // One input, outputs of its rank: they are pending as the input was.
  void through(const Node& node, Attributes attributes) {
    const int32_t x = node.inputs[0];
    const std::vector<Dims> perms(node.outputs.size(), layout_.perm(x));
    layout_.emit(node, {layout_.raw(x)}, std::move(attributes), perms);
  }

  void reduce(const Node& node) {
    const int32_t x = node.inputs[0];
    const Dims perm = layout_.perm(x);
    auto axes = node.get<Dims>("axes", {});
    Attributes attributes = node.attributes;
    Dims moved = moved_axes(axes, perm);
    std::sort(moved.begin(), moved.end());
    attributes["axes"] = moved;
    if (node.get<int64_t>("keepdims", 1) != 0) return through(node, std::move(attributes));
    // Of what is left, the order in raw.
    Dims left;
    for (size_t d = 0; d < perm.size(); ++d) {
      if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) == axes.end()) {
        left.push_back(perm[d]);
      }
    }
    Dims rank(left.size());
    for (size_t d = 0; d < left.size(); ++d) {
      rank[d] = std::count_if(left.begin(), left.end(), [&](int64_t l) { return l < left[d]; });
    }
    layout_.emit(node, {layout_.raw(x)}, std::move(attributes), {rank});
  }

  // Elementwise operators and Concat: the others are brought into the layout of the one that is
  // pending, when at least half of the inputs that are not constant are pending so.
  void several(const Node& node) {
    const size_t rank = rewrite_.tensor(node.outputs[0]).dims.size();
    const Dims* wanted = nullptr;
    size_t agree = 0, others = 0;
    for (const int32_t t : node.inputs) {
      const Tensor& tensor = rewrite_.tensor(t);
      if (tensor.data || tensor.elements() == 1) continue;
      const bool candidate = tensor.dims.size() == rank && layout_.pending(t);
      if (candidate && wanted == nullptr) wanted = &layout_.perm(t);
      ++(candidate && layout_.perm(t) == *wanted ? agree : others);
      if (tensor.dims.size() < rank && !tensor.symbols.empty()) return layout_.keep(node);
    }
    if (wanted == nullptr || agree < others) return layout_.keep(node);
    const Dims perm = *wanted;
    std::vector<int32_t> inputs;
    for (const int32_t t : node.inputs) inputs.push_back(layout_.in_layout(t, perm));
    Attributes attributes = node.attributes;
    if (node.op == "Concat") {
      attributes["axis"] = perm[static_cast<size_t>(node.get<int64_t>("axis", 0))];
    }
    layout_.emit(node, std::move(inputs), std::move(attributes), {perm});
  }

  Rewriter rewrite_;
  Layout layout_;
};

}  // namespace

Graph to_channels_last(const Graph& graph, PassContext& context) {
  return ToChannelsLast(graph, context).run();
}

}  // namespace medulla::tools
