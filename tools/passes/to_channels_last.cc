// SPDX-License-Identifier: Apache-2.0
//   x -> T -> Conv -> T' -> Relu -> T -> Conv -> T' -> y     x -> T -> Conv -> Relu -> Conv -> T'
//   -> y
//
// Importers put a Transpose before and behind every image operator. Here they travel down, through
// what does not care about the order of dimensions, until they cancel. Inputs and outputs of the
// graph keep the source's layout, at the price of one Transpose each, or are channels-last as the
// nodes that read or make them are.
#include <algorithm>
#include <set>

#include "tools/common/shape_text.h"
#include "tools/passes/elementwise.h"
#include "tools/passes/layout.h"
#include "tools/passes/pass.h"

namespace medulla::tools {
namespace {

using Names = std::set<std::string>;

const Names kReduce = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"};
// Along one axis, to outputs of the input's rank.
const Names kAlongAxis = {"CumSum", "LogSoftmax", "Softmax", "Split", "TopK"};

Dims moved_axes(const Dims& axes, const Dims& perm) {
  Dims moved;
  const auto rank = static_cast<int64_t>(perm.size());
  for (const int64_t a : axes) moved.push_back(perm[static_cast<size_t>(a < 0 ? a + rank : a)]);
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
  // The inputs named in `last` are fed channels-last.
  ToChannelsLast(const Graph& graph, const std::set<int32_t>& last)
      : rewrite_(graph), layout_(rewrite_) {
    for (const int32_t t : last) {
      Tensor& input = rewrite_.to.tensors[static_cast<size_t>(rewrite_.at(t))];
      const size_t rank = input.dims.size();
      input.dims = permuted(input.dims, to_channels_last_perm(rank));
      if (!input.symbols.empty()) {
        input.symbols = permuted(input.symbols, to_channels_last_perm(rank));
      }
      layout_.set_pending(t, to_channels_first_perm(rank));
    }
  }

  // With `nhwc` outputs that are made channels-last stay so.
  Graph run(bool nhwc) {
    for (const Node& node : rewrite_.from.nodes) visit(node);
    for (const int32_t t : rewrite_.from.outputs) {
      const Dims& perm = layout_.perm(t);
      const bool stays = nhwc && perm.size() > 2 && perm == to_channels_first_perm(perm.size());
      if (!stays) rewrite_.set(t, layout_.plain(t));
    }
    for (const State& state : rewrite_.from.states) {
      rewrite_.set(state.written, layout_.plain(state.written));
    }
    transposes_ = layout_.transposes();
    return rewrite_.finish();
  }

  // How many the run asked for.
  size_t transposes() const { return transposes_; }

 private:
  void visit(const Node& node) {
    if (node.op == "Transpose") {
      const auto perm = node.get<Dims>("perm", {});
      const int32_t x = node.inputs[0];
      return layout_.set(node.outputs[0], layout_.raw(x), compose(layout_.perm(x), perm));
    }
    if (is_broadcast(node.op) || node.op == "Concat") return several(node);
    if (is_view(node.op)) return layout_.reshape(node);
    if (node.op == "Pad") return pad(node);
    if (!layout_.pending(node.inputs.empty() ? -1 : node.inputs[0])) return layout_.keep(node);
    if (is_unary(node.op)) return through(node, node.attributes);
    if (kReduce.count(node.op) > 0) return reduce(node, "axes", node.get<Dims>("axes", {}));
    if (node.op == "ArgMax" || node.op == "ArgMin") {
      return reduce(node, "axis", {node.get<int64_t>("axis", 0)});
    }
    Attributes attributes = node.attributes;
    const Dims& perm = layout_.perm(node.inputs[0]);
    if (kAlongAxis.count(node.op) > 0) {
      const int64_t otherwise = node.op == "CumSum" || node.op == "Split" ? 0 : -1;
      attributes["axis"] = moved_axes({node.get<int64_t>("axis", otherwise)}, perm)[0];
    } else if (node.op == "Slice") {
      attributes["axes"] = moved_axes(node.get<Dims>("axes", {}), perm);
    } else if (node.op == "Tile") {
      attributes["repeats"] = permuted(node.get<Dims>("repeats", {}), invert(perm));
    } else if (node.op == "Expand" && node.get<Dims>("shape", {}).size() <= perm.size()) {
      auto shape = node.get<Dims>("shape", {});
      shape.insert(shape.begin(), perm.size() - shape.size(), 1);
      attributes["shape"] = permuted(shape, invert(perm));
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

  // One that only a Transpose reads works behind it, beside a convolution that can pad by itself.
  void pad(const Node& node) {
    const int32_t x = node.inputs[0], y = node.outputs[0];
    Dims perm = layout_.perm(x);
    const Node* reader = rewrite_.only_reader(y);
    if (!layout_.pending(x) && reader != nullptr && reader->op == "Transpose") {
      perm = invert(reader->get<Dims>("perm", {}));
    }
    Attributes attributes = node.attributes;
    attributes["pads"] = moved_halves(node.get<Dims>("pads", {}), perm);
    layout_.emit(node, {layout_.in_layout(x, perm)}, std::move(attributes), {perm});
  }

  // One input, outputs of its rank: they are pending as the input was.
  void through(const Node& node, Attributes attributes) {
    const int32_t x = node.inputs[0];
    const std::vector<Dims> perms(node.outputs.size(), layout_.perm(x));
    layout_.emit(node, {layout_.raw(x)}, std::move(attributes), perms);
  }

  // The attribute `name` holds the axis or the axes.
  void reduce(const Node& node, const char* name, Dims axes) {
    const int32_t x = node.inputs[0];
    const Dims perm = layout_.perm(x);
    if (axes.empty()) axes = perm;
    for (int64_t& a : axes) a += a < 0 ? static_cast<int64_t>(perm.size()) : 0;
    Attributes attributes = node.attributes;
    Dims moved = moved_axes(axes, perm);
    std::sort(moved.begin(), moved.end());
    if (name == std::string("axis")) {
      attributes[name] = moved[0];
    } else {
      attributes[name] = moved;
    }
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
  size_t transposes_ = 0;
};

}  // namespace

Graph to_channels_last(const Graph& graph, PassContext& context) {
  ToChannelsLast keep(graph, {});
  Graph kept = keep.run(context.nhwc);
  if (!context.nhwc) return kept;
  // Image inputs are those that need fewer transposes when they are fed channels-last.
  std::set<int32_t> last;
  for (const int32_t t : graph.inputs) {
    if (graph.tensors[static_cast<size_t>(t)].dims.size() < 3) continue;
    ToChannelsLast trial(graph, {t});
    trial.run(true);
    if (trial.transposes() < keep.transposes()) {
      last.insert(t);
      continue;
    }
    const Tensor& input = graph.tensors[static_cast<size_t>(t)];
    context.notes.push_back("input '" + input.name + "' keeps the source's layout, " +
                            shape_text(input.dims) + ": nodes that read it channels-last need " +
                            std::to_string(trial.transposes()) + " transposes, as it is " +
                            std::to_string(keep.transposes()));
  }
  return last.empty() ? kept : ToChannelsLast(graph, last).run(true);
}

}  // namespace medulla::tools
