// SPDX-License-Identifier: Apache-2.0
//   x8 -> DequantizeLinear -+
//   w8 -> DequantizeLinear -> Conv -> Relu -> QuantizeLinear -> y8     x8 -> QConv(w8, qmin) -> y8
//
//   x8 -> DequantizeLinear -> Transpose -> y       x8 -> Transpose -> DequantizeLinear -> y
//
// A float tensor of which is known that it is DequantizeLinear of integers is followed through what
// moves elements; an operator on such tensors whose result is quantized at once becomes an integer
// node. What has none stays between its DequantizeLinear and QuantizeLinear.
#include <cmath>
#include <set>

#include "tools/passes/integer.h"
#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

const std::set<std::string> kMovers = {"Expand",  "Flatten",   "Gather",   "MaxPool",
                                       "Reshape", "Slice",     "Split",    "Squeeze",
                                       "Tile",    "Transpose", "Unsqueeze"};

class FormIntegerNodes {
 public:
  FormIntegerNodes(const Graph& graph, PassContext& context)
      : rewrite_(graph), build_(rewrite_.build), context_(context) {}

  Graph run() {
    for (const Node& node : rewrite_.from.nodes) {
      build_.set_name(node.name);
      if (done_.count(&node) == 0 && !form(node)) rewrite_.keep(node);
    }
    return rewrite_.finish();
  }

 private:
  // The end of an integer node: the QuantizeLinear that rounds it, and the range that activations
  // on the way leave. None: the node has a float output.
  struct End {
    const Node* quantize = nullptr;
    Quantization y;
    int64_t qmin = -128, qmax = 127;
  };

  // The new graph's int8 tensor that a float tensor of the old one is the DequantizeLinear of.
  std::optional<int32_t> integers(int32_t old) const {
    const auto found = integers_.find(old);
    if (found == integers_.end()) return {};
    return found->second;
  }
  // The same, with one scale for the whole tensor.
  std::optional<int32_t> activation(int32_t old) const {
    const auto q = integers(old);
    return q && quantization(*q).scales.size() == 1 ? q : std::nullopt;
  }
  const Quantization& quantization(int32_t id) const { return *build_.tensor(id).quantization; }
  float scale(int32_t id) const { return quantization(id).scales[0]; }

  bool form(const Node& node) {
    if (node.op == "DequantizeLinear") return dequantize(node);
    if (node.op == "QuantizeLinear") return quantize_again(node);
    if (node.op == "Conv") return conv(node);
    if (node.op == "Gemm") return gemm(node);
    if (node.op == "MatMul") return matmul(node);
    if (node.op == "Add") return add(node);
    if (node.op == "Concat") return concat(node);
    if (node.op == "AveragePool") return average_pool(node);
    if (node.op == "GlobalAveragePool") return global_average_pool(node);
    if (node.op == "Pad") return pad(node);
    const bool nearest = node.op == "Resize" && node.get<std::string>("mode", "") == "nearest";
    if (kMovers.count(node.op) > 0 || nearest) return move(node, node.attributes);
    return false;
  }

  bool dequantize(const Node& node) {
    if (rewrite_.tensor(node.inputs[0]).dtype == MDL_INT8) {
      integers_[node.outputs[0]] = rewrite_.at(node.inputs[0]);
    }
    return false;
  }

  // Integers that are dequantized and quantized alike are themselves.
  bool quantize_again(const Node& node) {
    const auto q = integers(node.inputs[0]);
    const Tensor& y = rewrite_.tensor(node.outputs[0]);
    if (!q || y.dtype != MDL_INT8 || y.quantization != build_.tensor(*q).quantization) return false;
    rewrite_.set(node.outputs[0], *q);
    return true;
  }

  bool move(const Node& node, Attributes attributes) {
    const auto q = activation(node.inputs[0]);
    if (!q) return false;
    std::vector<int32_t> inputs = {*q};
    for (size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(rewrite_.at(node.inputs[i]));
    emit_moved(node, std::move(inputs), std::move(attributes), quantization(*q));
    return true;
  }

  // The node on integers, and a DequantizeLinear for those who want its output as float.
  void emit_moved(const Node& node, std::vector<int32_t> inputs, Attributes attributes,
                  Quantization q) {
    Node moved{node.name, node.op, node.version, std::move(attributes), std::move(inputs), {}};
    for (const int32_t old : node.outputs) {
      Tensor tensor = old < 0 ? Tensor() : rewrite_.tensor(old);
      tensor.dtype = MDL_INT8;
      tensor.quantization = q;
      moved.outputs.push_back(old < 0 ? -1 : build_.add_tensor(std::move(tensor)));
    }
    const std::vector<int32_t> outputs = moved.outputs;
    rewrite_.to.nodes.push_back(std::move(moved));
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o] < 0) continue;
      integers_[node.outputs[o]] = outputs[o];
      rewrite_.set(node.outputs[o], build_.add("DequantizeLinear", {outputs[o]}));
    }
  }

  End end_of(const Node& node) const {
    End end;
    std::vector<const Node*> activations;
    const Node* reader = rewrite_.only_reader(node.outputs[0]);
    while (reader != nullptr && (reader->op == "Relu" || reader->op == "Clip")) {
      activations.push_back(reader);
      reader = rewrite_.only_reader(reader->outputs[0]);
    }
    if (reader == nullptr || reader->op != "QuantizeLinear") return end;
    const Tensor& y = rewrite_.tensor(reader->outputs[0]);
    if (y.dtype != MDL_INT8 || y.quantization->scales.size() != 1) return end;
    end.quantize = reader;
    end.y = *y.quantization;
    // Rounding is monotone: to clamp and round is to round and clamp by the rounded bounds.
    for (const Node* activation : activations) {
      const auto bound = [&](const char* name, double none) {
        return activation->op == "Relu" ? (name[1] == 'i' ? 0.0 : none)
                                        : activation->get<double>(name, none);
      };
      const int64_t low = quantize(bound("min", -INFINITY), end.y);
      const int64_t high = quantize(bound("max", INFINITY), end.y);
      end.qmin = std::min(std::max(end.qmin, low), high);
      end.qmax = std::max(std::min(end.qmax, high), low);
    }
    return end;
  }

  std::optional<float> scale_of(const End& end) const {
    return end.quantize != nullptr ? std::optional<float>(end.y.scales[0]) : std::nullopt;
  }

  // Appends an integer node in the place of `node` and of what follows it up to its end.
  void emit(const Node& node, const End& end, const char* op, std::vector<int32_t> inputs,
            Attributes attributes) {
    attributes["qmin"] = end.qmin;
    attributes["qmax"] = end.qmax;
    const int32_t y = end.quantize != nullptr ? end.quantize->outputs[0] : node.outputs[0];
    if (end.quantize != nullptr) done_.insert(end.quantize);
    rewrite_.to.nodes.push_back(
        {node.name, op, 1, std::move(attributes), std::move(inputs), {rewrite_.at(y)}});
  }

  // Weights with a scale and a zero point for each row, or nothing.
  std::optional<int32_t> weights_by_row(int32_t w) {
    const Tensor& from = build_.tensor(w);
    if (!from.data || from.dtype != MDL_INT8) return {};
    const auto rows = static_cast<size_t>(from.dims[0]);
    Quantization q = *from.quantization;
    if (q.scales.size() > 1 && q.axis != 0) return {};
    if (q.scales.size() == rows && q.axis == 0) return w;
    q.scales.resize(rows, q.scales[0]);
    q.zero_points.resize(rows, q.zero_points[0]);
    q.axis = 0;
    Tensor copy = from;
    copy.quantization = q;
    return build_.add_tensor(std::move(copy));
  }

  struct Bias {
    bool ok = false;
    int32_t tensor = -1;
    std::vector<int32_t> values;  // of an int32 bias
  };

  // The bias in units of s_x * s_w[c], or in float for a float output.
  Bias bias_of(const Node& node, int32_t x, int32_t w, bool to_float) {
    const int32_t old = node.inputs.size() > 2 ? node.inputs[2] : -1;
    if (old < 0) return {true, -1, {}};
    const auto& scales = quantization(w).scales;
    std::vector<double> real;
    std::vector<int32_t> integers;
    const std::vector<float>* own = nullptr;
    const Node* dequantize = rewrite_.producer(old, "DequantizeLinear");
    const Tensor& source = rewrite_.tensor(dequantize != nullptr ? dequantize->inputs[0] : old);
    if (!source.data || source.elements() != scales.size()) return {};
    if (dequantize != nullptr && source.dtype == MDL_INT32) {
      integers = values_of<int32_t>(source);
      own = &source.quantization->scales;
      for (size_t c = 0; c < integers.size(); ++c) {
        real.push_back(static_cast<double>(integers[c]) *
                       static_cast<double>((*own)[own->size() > 1 ? c : 0]));
      }
    } else if (source.dtype == MDL_FLOAT32) {
      for (const float v : values_of<float>(source)) real.push_back(static_cast<double>(v));
    } else {
      return {};
    }
    const Dims dims = {static_cast<int64_t>(scales.size())};
    if (to_float) {
      std::vector<float> floats(real.begin(), real.end());
      return {true, build_.constant(MDL_FLOAT32, dims, floats), {}};
    }
    bool rescaled = own == nullptr;
    integers.resize(real.size());
    for (size_t c = 0; c < real.size(); ++c) {
      const double unit = static_cast<double>(scale(x)) * static_cast<double>(scales[c]);
      const double given = own ? static_cast<double>((*own)[own->size() > 1 ? c : 0]) : 0;
      if (own != nullptr && std::abs(given - unit) <= std::ldexp(unit, -22)) continue;
      const double units = std::nearbyint(real[c] / unit);
      if (!(std::abs(units) < 2147483648.0)) return {};
      integers[c] = static_cast<int32_t>(units);
      rescaled = true;
    }
    if (rescaled) context_.notes.push_back("node '" + node.name + "': bias rounded to int32");
    return {true, build_.constant(MDL_INT32, dims, integers), integers};
  }

  // What Conv and Gemm share: inputs x, w, bias, multiplier; sums; the proof.
  bool product(const Node& node, const char* op, int32_t x, int32_t w, Attributes attributes) {
    const End end = end_of(node);
    const Bias bias = bias_of(node, x, w, end.quantize == nullptr);
    if (!bias.ok) return false;
    const auto rows = static_cast<size_t>(build_.dims(w)[0]);
    const Rows sums = sums_of_rows(build_.tensor(w), rows);
    const int64_t bad = overflowing_row(sums, bias.values, quantization(x).zero_points[0]);
    if (bad >= 0) {
      context_.refusals.push_back("node '" + node.name + "' (" + op + "): the sum of channel " +
                                  std::to_string(bad) + " may leave int32");
    }
    std::vector<float> multipliers;
    for (const float s_w : quantization(w).scales) {
      multipliers.push_back(product_multiplier(scale(x), s_w, scale_of(end)));
    }
    const int32_t multiplier =
        build_.constant(MDL_FLOAT32, {static_cast<int64_t>(rows)}, multipliers);
    attributes["positive_sums"] = sums.positive_sums;
    attributes["negative_sums"] = sums.negative_sums;
    emit(node, end, op, {x, w, bias.tensor, multiplier}, std::move(attributes));
    return true;
  }

  bool conv(const Node& node) {
    const auto x = activation(node.inputs[0]), w = integers(node.inputs[1]);
    const auto rows = x && w ? weights_by_row(*w) : std::nullopt;
    return rows && product(node, "QConv", *x, *rows, node.attributes);
  }

  // Weights [N, K] of a product whose second operand is [K, N], or [N, K] when `transposed`.
  bool dense(const Node& node, bool transposed) {
    const auto x = activation(node.inputs[0]), w = integers(node.inputs[1]);
    if (!x || !w || !build_.tensor(*w).data || build_.rank(*w) != 2) return false;
    const auto rows = weights_by_row(transposed ? *w : build_.transpose(*w, {1, 0}));
    return rows && product(node, "QGemm", *x, *rows, {});
  }

  bool gemm(const Node& node) {
    const bool plain = node.get<int64_t>("transA", 0) == 0 && node.get<double>("alpha", 1) == 1 &&
                       node.get<double>("beta", 1) == 1;
    return plain && dense(node, node.get<int64_t>("transB", 0) != 0);
  }

  bool matmul(const Node& node) {
    if (dense(node, false)) return true;
    const auto a = activation(node.inputs[0]), b = activation(node.inputs[1]);
    if (!a || !b || build_.rank(*a) < 2 || build_.rank(*b) < 2) return false;
    const End end = end_of(node);
    const float m = product_multiplier(scale(*a), scale(*b), scale_of(end));
    emit(node, end, "QMatMul", {*a, *b}, {{"multiplier", static_cast<double>(m)}});
    return true;
  }

  bool add(const Node& node) {
    const auto a = activation(node.inputs[0]), b = activation(node.inputs[1]);
    const End end = end_of(node);
    if (!a || !b || end.quantize == nullptr) return false;
    const std::vector<double> k = {ratio_multiplier(scale(*a), end.y.scales[0], 1),
                                   ratio_multiplier(scale(*b), end.y.scales[0], 1)};
    emit(node, end, "QAdd", {*a, *b}, {{"multipliers", k}});
    return true;
  }

  bool concat(const Node& node) {
    std::vector<int32_t> inputs;
    bool alike = true;
    for (const int32_t t : node.inputs) {
      const auto q = activation(t);
      if (!q) return false;
      inputs.push_back(*q);
      alike &= quantization(*q) == quantization(inputs[0]);
    }
    const Quantization first = quantization(inputs[0]);
    if (alike) {
      emit_moved(node, std::move(inputs), node.attributes, first);
      return true;
    }
    const End end = end_of(node);
    if (end.quantize == nullptr || end.qmin != -128 || end.qmax != 127) return false;
    std::vector<double> k;
    for (const int32_t q : inputs) k.push_back(ratio_multiplier(scale(q), end.y.scales[0], 1));
    done_.insert(end.quantize);
    rewrite_.to.nodes.push_back({node.name,
                                 "QConcat",
                                 1,
                                 {{"axis", node.get<int64_t>("axis", 0)}, {"multipliers", k}},
                                 std::move(inputs),
                                 {rewrite_.at(end.quantize->outputs[0])}});
    return true;
  }

  bool average_pool(const Node& node) {
    const auto x = activation(node.inputs[0]);
    const End end = end_of(node);
    if (!x || end.quantize == nullptr) return false;
    constexpr int64_t kMaxElements = 1 << 16;  // of the stored table
    int64_t elements = 1;
    for (const int64_t k : node.get<Dims>("kernel_shape", {})) {
      if (k > kMaxElements / elements) return false;
      elements *= k;
    }
    std::vector<double> table;
    for (int64_t n = 1; n <= elements; ++n) {
      table.push_back(ratio_multiplier(scale(*x), end.y.scales[0], n));
    }
    Attributes attributes = node.attributes;
    attributes["multipliers"] = table;
    emit(node, end, "QAveragePool", {*x}, std::move(attributes));
    return true;
  }

  bool global_average_pool(const Node& node) {
    const auto x = activation(node.inputs[0]);
    const End end = end_of(node);
    if (!x || end.quantize == nullptr || !build_.is_static(*x)) return false;
    int64_t elements = 1;
    for (size_t d = 1; d + 1 < build_.dims(*x).size(); ++d) elements *= build_.dims(*x)[d];
    const double m = ratio_multiplier(scale(*x), end.y.scales[0], elements);
    emit(node, end, "QGlobalAveragePool", {*x}, {{"multiplier", m}});
    return true;
  }

  // The constant is quantized once, here; it has to stand for its real number exactly.
  bool pad(const Node& node) {
    const auto x = activation(node.inputs[0]);
    if (!x) return false;
    const auto value = static_cast<float>(node.get<double>("value", 0));
    const int32_t q = quantize(value, quantization(*x));
    const int32_t z = quantization(*x).zero_points[0];
    const bool constant = node.get<std::string>("mode", "constant") == "constant";
    if (constant && static_cast<float>(q - z) * scale(*x) != value) return false;
    Attributes attributes = node.attributes;
    attributes["value"] = static_cast<double>(q);
    return move(node, std::move(attributes));
  }

  Rewriter rewrite_;
  Builder& build_;
  PassContext& context_;
  std::map<int32_t, int32_t> integers_;
  std::set<const Node*> done_;
};

}  // namespace

Graph form_integer_nodes(const Graph& graph, PassContext& context) {
  return FormIntegerNodes(graph, context).run();
}

}  // namespace medulla::tools
