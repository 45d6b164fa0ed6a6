// SPDX-License-Identifier: Apache-2.0
//   x8 -> DequantizeLinear -+
//   w8 -> DequantizeLinear -> Conv -> Relu -> QuantizeLinear -> y8     x8 -> QConv(w8, qmin) -> y8
//
//   x8, w8 -> Conv -> Add with r8 -> QuantizeLinear -> y8     x8 -> QConv(w8) -> QAddFloat(r8) ->
//   y8
//
//   x8 -> DequantizeLinear -> Transpose -> y       x8 -> Transpose -> DequantizeLinear -> y
//
// A float tensor of which is known that it is DequantizeLinear of integers is followed through what
// moves elements; an operator on such tensors whose result is quantized at once becomes an integer
// node. What has none stays between its DequantizeLinear and QuantizeLinear.
#include <cmath>

#include "src/ops/integer.h"
#include "tools/common/integer_forms.h"
#include "tools/passes/integer_former.h"

namespace medulla::tools {

Graph IntegerFormer::run() {
  for (const Node& node : rewrite_.from.nodes) {
    build_.set_name(node.name);
    if (done_.count(&node) == 0 && !form(node)) rewrite_.keep(node);
  }
  return rewrite_.finish();
}

bool IntegerFormer::form(const Node& node) {
  if (node.op == "DequantizeLinear") return dequantize(node);
  if (node.op == "QuantizeLinear") return quantize_again(node) || look_up(node);
  if (function(node)) return true;
  if (wait_for_add(node) || weighted(node, end_of(node))) return true;
  if (node.op == "ConvTranspose") return conv_transpose(node);
  if (node.op == "Add" && add_to_layer(node)) return true;
  if (node.op == "Add" || node.op == "Sub") return add(node);
  if (node.op == "Mul") return mul(node);
  if (node.op == "BatchNormalization") return batch_normalization(node);
  if (node.op == "LayerNormalization") return layer_normalization(node);
  if (node.op == "Softmax") return softmax(node);
  if (node.op == "Concat") return concat(node);
  if (node.op == "AveragePool") return average_pool(node);
  if (node.op == "GlobalAveragePool") return global_average_pool(node);
  if (node.op == "Pad") return pad(node);
  if (node.op == "Resize") return resize(node);
  if (node.op == "ArgMax" || node.op == "ArgMin") return find(node);
  if (is_among(node.op, kMoverForms)) return move(node, node.attributes);
  return false;
}

bool IntegerFormer::dequantize(const Node& node) {
  const mdl_dtype dtype = rewrite_.tensor(node.inputs[0]).dtype;
  if (dtype == MDL_INT8 || dtype == MDL_INT16) {
    integers_[node.outputs[0]] = rewrite_.at(node.inputs[0]);
  }
  return false;
}

// Integers that are dequantized and quantized alike are themselves.
bool IntegerFormer::quantize_again(const Node& node) {
  const auto q = integers(node.inputs[0]);
  const Tensor& y = rewrite_.tensor(node.outputs[0]);
  if (!q || y.dtype != dtype(*q) || y.quantization != build_.tensor(*q).quantization) return false;
  rewrite_.set(node.outputs[0], *q);
  return true;
}

bool IntegerFormer::move(const Node& node, Attributes attributes) {
  const auto q = wide_activation(node.inputs[0]);
  if (!q) return false;
  std::vector<int32_t> inputs = {*q};
  for (size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(rewrite_.at(node.inputs[i]));
  emit_moved(node, std::move(inputs), std::move(attributes), quantization(*q));
  return true;
}

void IntegerFormer::emit_moved(const Node& node, std::vector<int32_t> inputs, Attributes attributes,
                               Quantization q) {
  const mdl_dtype dtype = this->dtype(inputs[0]);
  Node moved{node.name, node.op, node.version, std::move(attributes), std::move(inputs), {}};
  for (const int32_t old : node.outputs) {
    Tensor tensor = old < 0 ? Tensor() : rewrite_.tensor(old);
    if (tensor.dtype == MDL_FLOAT32) {  // else indices
      tensor.dtype = dtype;
      tensor.quantization = q;
    }
    moved.outputs.push_back(old < 0 ? -1 : build_.add_tensor(std::move(tensor)));
  }
  const std::vector<int32_t> outputs = moved.outputs;
  rewrite_.to.nodes.push_back(std::move(moved));
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (outputs[o] < 0) continue;
    int32_t made = outputs[o];
    if (build_.tensor(made).quantization) {
      integers_[node.outputs[o]] = made;
      made = build_.add("DequantizeLinear", {made});
    }
    rewrite_.set(node.outputs[o], made);
  }
}

IntegerFormer::End IntegerFormer::end_of(const Node& node) const {
  End end;
  std::vector<const Node*> activations;
  const Node* reader = rewrite_.only_reader(node.outputs[0]);
  while (reader != nullptr && (reader->op == "Relu" || reader->op == "Clip")) {
    activations.push_back(reader);
    reader = rewrite_.only_reader(reader->outputs[0]);
  }
  if (reader == nullptr || reader->op != "QuantizeLinear") return end;
  const Tensor& y = rewrite_.tensor(reader->outputs[0]);
  const auto x = wide_activation(node.inputs[0]);
  if (y.dtype != (x ? dtype(*x) : MDL_INT8) || y.quantization->scales.size() != 1) return end;
  end.quantize = reader;
  end.y = *y.quantization;
  end.dtype = y.dtype;
  end.qmin = range_of(y.dtype).min;
  end.qmax = range_of(y.dtype).max;
  // Rounding is monotone: to clamp and round is to round and clamp by the rounded bounds.
  for (const Node* activation : activations) {
    const auto bound = [&](const char* name, double none) {
      return activation->op == "Relu" ? (name[1] == 'i' ? 0.0 : none)
                                      : activation->get<double>(name, none);
    };
    const int64_t low = quantize(bound("min", -INFINITY), end.y, end.dtype);
    const int64_t high = quantize(bound("max", INFINITY), end.y, end.dtype);
    end.qmin = std::min(std::max(end.qmin, low), high);
    end.qmax = std::max(std::min(end.qmax, high), low);
  }
  return end;
}

int32_t IntegerFormer::make(const Node& node, const End& end, const char* op,
                            std::vector<int32_t> inputs, Attributes attributes, uint32_t version) {
  attributes["qmin"] = end.qmin;
  attributes["qmax"] = end.qmax;
  if (end.steps) attributes["output_scale"] = static_cast<double>(end.y.scales[0]);
  const int32_t old = end.quantize != nullptr ? end.quantize->outputs[0] : node.outputs[0];
  Tensor y;
  y.name = rewrite_.tensor(old).name;
  if (end.steps) y.name += ".steps";  // not the source's real numbers
  y.dtype = rewrite_.tensor(old).dtype;
  y.quantization = rewrite_.tensor(old).quantization;
  const int32_t id = build_.add_tensor(std::move(y));
  build_.append({node.name, op, version, std::move(attributes), std::move(inputs), {id}});
  return id;
}

void IntegerFormer::finish(const Node& node, const End& end, int32_t y) {
  if (end.quantize != nullptr) done_.insert(end.quantize);
  rewrite_.set(end.quantize != nullptr ? end.quantize->outputs[0] : node.outputs[0], y);
}

// The sums of such a layer are not rounded before they are added, so its numbers are in steps of
// what the Add gives.
bool IntegerFormer::wait_for_add(const Node& node) {
  if (node.op != "Conv" && node.op != "Gemm" && node.op != "MatMul") return false;
  const Node* add = rewrite_.only_reader(node.outputs[0]);
  if (add == nullptr || add->op != "Add" || end_of(*add).quantize == nullptr ||
      !activation(node.inputs[0]) || !integers(node.inputs[1])) {
    return false;
  }
  const int32_t other = add->inputs[add->inputs[0] == node.outputs[0] ? 1 : 0];
  const Node* dequantize = rewrite_.producer(other, "DequantizeLinear");
  const Tensor& a = rewrite_.tensor(node.outputs[0]);
  const Tensor& b = rewrite_.tensor(other);
  if ((dequantize == nullptr && !activation(other)) || parameter(other).data || a.dims != b.dims ||
      a.symbols != b.symbols) {
    return false;
  }
  waiting_.insert(&node);
  return true;
}

bool IntegerFormer::add_to_layer(const Node& node) {
  const auto waits = [&](size_t i) {
    return waiting_.count(rewrite_.producer(node.inputs[i])) > 0;
  };
  if (!waits(0) && !waits(1)) return false;
  const size_t first = waits(0) ? 0 : 1;
  const Node& layer = *rewrite_.producer(node.inputs[first]);
  const auto other = activation(node.inputs[1 - first]);
  const End end = end_of(node);
  End steps;
  steps.y = end.y;
  steps.steps = true;
  build_.set_name(layer.name);
  const bool taken = other && weighted(layer, steps);
  if (!taken && !weighted(layer, end_of(layer))) rewrite_.keep(layer);
  build_.set_name(node.name);
  if (!taken) return false;
  const double k = ratio_multiplier(scale(*other), end.y.scales[0], 1);
  emit(node, end, "QAddFloat", {rewrite_.at(layer.outputs[0]), *other}, {{"multiplier", k}});
  return true;
}

bool IntegerFormer::add(const Node& node) {
  const auto a = wide_activation(node.inputs[0]), b = wide_activation(node.inputs[1]);
  const End end = end_of(node);
  if (!a || !b || dtype(*a) != dtype(*b) || end.quantize == nullptr) return false;
  const std::vector<double> k = {ratio_multiplier(scale(*a), end.y.scales[0], 1),
                                 ratio_multiplier(scale(*b), end.y.scales[0], 1)};
  emit(node, end, node.op == "Add" ? "QAdd" : "QSub", {*a, *b}, {{"multipliers", k}});
  return true;
}

bool IntegerFormer::mul(const Node& node) {
  const auto a = wide_activation(node.inputs[0]), b = wide_activation(node.inputs[1]);
  const End end = end_of(node);
  if (!a || !b || dtype(*a) != dtype(*b) || end.quantize == nullptr) return false;
  const double m = product_multiplier(scale(*a), scale(*b), scale_of(end));
  emit(node, end, "QMul", {*a, *b}, {{"multiplier", m}});
  return true;
}

bool IntegerFormer::concat(const Node& node) {
  std::vector<int32_t> inputs;
  bool alike = true;
  for (const int32_t t : node.inputs) {
    const auto q = wide_activation(t);
    if (!q || (!inputs.empty() && dtype(*q) != dtype(inputs[0]))) return false;
    inputs.push_back(*q);
    alike &= quantization(*q) == quantization(inputs[0]);
  }
  const Quantization first = quantization(inputs[0]);
  if (alike) {
    emit_moved(node, std::move(inputs), node.attributes, first);
    return true;
  }
  const End end = end_of(node);
  const IntegerRange range = range_of(end.dtype);
  if (end.quantize == nullptr || end.qmin != range.min || end.qmax != range.max) return false;
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

bool IntegerFormer::average_pool(const Node& node) {
  const auto x = wide_activation(node.inputs[0]);
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

bool IntegerFormer::global_average_pool(const Node& node) {
  const auto x = wide_activation(node.inputs[0]);
  const End end = end_of(node);
  if (!x || end.quantize == nullptr || !build_.is_static(*x)) return false;
  int64_t elements = 1;
  for (size_t d = 1; d + 1 < build_.dims(*x).size(); ++d) elements *= build_.dims(*x)[d];
  const double m = ratio_multiplier(scale(*x), end.y.scales[0], elements);
  emit(node, end, "QGlobalAveragePool", {*x}, {{"multiplier", m}});
  return true;
}

bool IntegerFormer::find(const Node& node) {
  const auto x = wide_activation(node.inputs[0]);
  if (!x) return false;
  Node found = node;
  found.inputs = {*x};
  found.outputs = {rewrite_.at(node.outputs[0])};
  rewrite_.to.nodes.push_back(std::move(found));
  return true;
}

// The constant is quantized once, here; it has to stand for its real number exactly, where that is
// not rounded so at once.
bool IntegerFormer::pad(const Node& node) {
  const auto x = wide_activation(node.inputs[0]);
  if (!x) return false;
  const auto value = static_cast<float>(node.get<double>("value", 0));
  const int32_t q = quantize(value, quantization(*x), dtype(*x));
  const int32_t z = quantization(*x).zero_points[0];
  const bool constant = node.get<std::string>("mode", "constant") == "constant";
  const Node* reader = rewrite_.only_reader(node.outputs[0]);
  const bool rounded = reader != nullptr && reader->op == "QuantizeLinear" &&
                       rewrite_.tensor(reader->outputs[0]).dtype == dtype(*x) &&
                       rewrite_.tensor(reader->outputs[0]).quantization == quantization(*x);
  if (constant && !rounded && static_cast<float>(q - z) * scale(*x) != value) return false;
  Attributes attributes = node.attributes;
  attributes["value"] = static_cast<double>(q);
  return move(node, std::move(attributes));
}

// Nearest moves elements.
bool IntegerFormer::resize(const Node& node) {
  const auto mode = node.get<std::string>("mode", "nearest");
  if (mode == "nearest") return move(node, node.attributes);
  const auto x = activation(node.inputs[0]);
  const End end = end_of(node);
  const auto crops = node.get<std::string>("coordinate_transformation_mode", "");
  if (!x || end.quantize == nullptr || mode != "linear" || crops == "tf_crop_and_resize") {
    return false;
  }
  Attributes attributes = node.attributes;
  for (const char* name : {"nearest_mode", "cubic_coeff_a", "roi", "extrapolation_value"}) {
    attributes.erase(name);
  }
  const double k = ratio_multiplier(scale(*x), end.y.scales[0], 1);
  attributes["multiplier"] = k;
  emit(node, end, "QResize", {*x}, std::move(attributes));
  return true;
}

Graph form_integer_nodes(const Graph& graph, PassContext& context) {
  return IntegerFormer(graph, context).run();
}

}  // namespace medulla::tools
