// SPDX-License-Identifier: Apache-2.0
//   x8 -> DequantizeLinear -> Sigmoid -> Mul -> QuantizeLinear -> y8      x8 -> QLookup -> y8
//                         \--------------/
//
// What elementwise operators make of one int8 tensor is a function of 256 values. They are computed
// here by the operators' own references, so the table has the bytes that the float nodes gave.
#include <cmath>

#include "src/ops/functions_f64.h"
#include "src/ops/integer.h"
#include "tools/common/integer_forms.h"
#include "tools/passes/integer_former.h"

namespace medulla::tools {
namespace {

// The real number that a constant of one element is.
std::optional<float> number_of(const Tensor& tensor) {
  if (!tensor.data || tensor.elements() != 1) return {};
  if (tensor.dtype == MDL_FLOAT32) return values_of<float>(tensor)[0];
  if (tensor.dtype != MDL_INT8 || !tensor.quantization) return {};
  const Quantization& q = *tensor.quantization;
  return static_cast<float>(values_of<int8_t>(tensor)[0] - q.zero_points[0]) * q.scales[0];
}

}  // namespace

std::optional<IntegerFormer::Function> IntegerFormer::function_of(int32_t old) const {
  if (const auto found = functions_.find(old); found != functions_.end()) return found->second;
  const auto q = activation(old);
  if (!q || build_.tensor(*q).data) return {};
  const Quantization& numbers = quantization(*q);
  const auto real = [&](int v) {
    return static_cast<float>(v - numbers.zero_points[0]) * numbers.scales[0];
  };
  const auto table = tables_.find(*q);
  Function function = {table != tables_.end() ? table->second.of : *q, {}, *q};
  for (int i = 0; i < 256; ++i) {
    const auto at = static_cast<size_t>(i);
    function.values[at] = real(table != tables_.end() ? table->second.values[at] : i - 128);
  }
  return function;
}

// Records what an elementwise node makes of an int8 tensor. The node stays, for those who want its
// output as float.
bool IntegerFormer::function(const Node& node) {
  if (!is_among(node.op, kElementwiseForms)) return false;
  Graph graph;
  Builder build(graph);
  std::vector<int32_t> inputs;
  Function function = {-1, {}, -1};
  for (const int32_t old : node.inputs) {
    const auto integer = integers(old);
    const Tensor& tensor = integer ? build_.tensor(*integer) : rewrite_.tensor(old);
    if (const auto number = number_of(tensor)) {
      inputs.push_back(build.scalar(*number));
      continue;
    }
    const auto of = function_of(old);
    if (!of || (function.of >= 0 && function.of != of->of)) return false;
    function.of = of->of;
    inputs.push_back(
        build.constant<float>(MDL_FLOAT32, {256}, {of->values.begin(), of->values.end()}));
  }
  const Tensor& y = rewrite_.tensor(node.outputs[0]);
  if (function.of < 0 || y.dtype != MDL_FLOAT32 || y.dims != build_.dims(function.of)) return false;
  const auto values = values_of<float>(build.tensor(build.add(node.op, inputs, node.attributes)));
  std::copy(values.begin(), values.end(), function.values.begin());
  functions_[node.outputs[0]] = function;
  rewrite_.keep(node);
  return true;
}

bool IntegerFormer::look_up(const Node& node) {
  const auto function = function_of(node.inputs[0]);
  const Tensor& old = rewrite_.tensor(node.outputs[0]);
  if (!function || old.dtype != MDL_INT8 || old.quantization->scales.size() != 1) return false;
  const Quantization& to = *old.quantization;
  const Quantizer quantizer = {to.zero_points[0], -128, 127};
  const int32_t from = function->dequantized;
  const auto before = tables_.find(from);
  std::array<int8_t, 256> values;
  for (int i = 0; i < 256; ++i) {
    const auto at = static_cast<size_t>(i);
    float t = function->values[at] / to.scales[0];
    if (from >= 0) {
      const int q = before != tables_.end() ? before->second.values[at] : i - 128;
      t = static_cast<float>(q - quantization(from).zero_points[0]) *
          ratio_multiplier(scale(from), to.scales[0], 1);
    }
    values[at] = static_cast<int8_t>(quantizer(t));
  }
  const int32_t table = build_.constant<int8_t>(MDL_INT8, {256}, {values.begin(), values.end()});
  const int32_t y =
      build_.add_typed("QLookup", {function->of, table}, {}, MDL_INT8, old.quantization);
  tables_[y] = {function->of, values};
  rewrite_.set(node.outputs[0], y);
  return true;
}

bool IntegerFormer::softmax(const Node& node) {
  const auto x = activation(node.inputs[0]);
  const End end = end_of(node);
  if (!x || end.quantize == nullptr) return false;
  const double s = scale(*x);
  std::vector<uint32_t> table;
  for (int d = 0; d < 256; ++d) {
    table.push_back(static_cast<uint32_t>(std::nearbyint(std::ldexp(exp_f64(-s * d), 23))));
  }
  emit(node, end, "QSoftmax", {*x, build_.constant(MDL_UINT32, {256}, table)}, node.attributes);
  return true;
}

}  // namespace medulla::tools
