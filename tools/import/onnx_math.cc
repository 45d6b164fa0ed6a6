// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

int64_t product(const Dims& dims, size_t begin, size_t end) {
  int64_t p = 1;
  for (size_t d = begin; d < end; ++d) p *= dims[d];
  return p;
}

// A bound of Clip: absent, or beyond every float, gives nothing.
std::optional<double> bound(const OnnxNode& node, const char* name, size_t i) {
  double value;
  if (node.opset < 11) {
    if (!node.attribute(name)) return {};
    value = node.float_or(name, 0);
  } else {
    if (node.input(i) < 0) return {};
    value = node.constant_floats(i, name).at(0);
  }
  if (std::abs(value) >= static_cast<double>(std::numeric_limits<float>::max())) return {};
  return value;
}

}  // namespace

std::vector<int32_t> convert_unary(OnnxNode& node) {
  if (node.op() == "Neg" && node.build.tensor(node.input(0)).dtype == MDL_INT64) {
    const int32_t zero = node.build.constant<int64_t>(MDL_INT64, {}, {0});
    return {node.build.add("Sub", {zero, node.input(0)})};
  }
  Attributes attributes;
  if (node.op() == "LeakyRelu") attributes["alpha"] = node.float_or("alpha", 0.01f);
  if (node.op() == "Elu") attributes["alpha"] = node.float_or("alpha", 1.0f);
  if (node.op() == "HardSigmoid") {
    attributes["alpha"] = node.float_or("alpha", 0.2f);
    attributes["beta"] = node.float_or("beta", 0.5f);
  }
  if (node.op() == "Gelu") attributes["approximate"] = node.string_or("approximate", "none");
  return {node.build.add(node.op(), {node.input(0)}, std::move(attributes))};
}

std::vector<int32_t> convert_binary(OnnxNode& node) {
  Builder& build = node.build;
  int32_t a = node.input(0), b = node.input(1);
  const mdl_dtype dtype = build.tensor(a).dtype;
  if (build.tensor(b).dtype != dtype) {  // Pow's exponent may have a type of its own
    b = build.add_typed("Cast", {b}, {{"to", static_cast<int64_t>(dtype)}}, dtype);
  }
  return {build.add(node.op(), {a, b})};
}

std::vector<int32_t> convert_variadic(OnnxNode& node) {
  Builder& build = node.build;
  const std::string op = node.op() == "Max" || node.op() == "Min" ? node.op() : "Add";
  int32_t result = node.input(0);
  for (size_t i = 1; i < node.inputs.size(); ++i) result = build.add(op, {result, node.input(i)});
  if (node.op() == "Mean" && node.inputs.size() > 1) {
    const auto count = static_cast<float>(node.inputs.size());
    result = build.add("Div", {result, build.scalar(count)});
  }
  return {result};
}

std::vector<int32_t> convert_clip(OnnxNode& node) {
  Attributes attributes;
  if (const auto min = bound(node, "min", 1)) attributes["min"] = *min;
  if (const auto max = bound(node, "max", 2)) attributes["max"] = *max;
  if (attributes.empty()) return {node.input(0)};
  return {node.build.add("Clip", {node.input(0)}, std::move(attributes))};
}

std::vector<int32_t> convert_gemm(OnnxNode& node) {
  std::vector<int32_t> inputs = {node.input(0), node.input(1)};
  if (node.input(2) >= 0) inputs.push_back(node.input(2));
  return {node.build.add("Gemm", inputs,
                         {{"transA", node.int_or("transA", 0)},
                          {"transB", node.int_or("transB", 0)},
                          {"alpha", node.float_or("alpha", 1.0f)},
                          {"beta", node.float_or("beta", 1.0f)}})};
}

std::vector<int32_t> convert_matmul(OnnxNode& node) {
  return {node.build.add("MatMul", {node.input(0), node.input(1)})};
}

// One slope for all is LeakyRelu's; otherwise max(x, 0) + slope * min(x, 0).
std::vector<int32_t> convert_prelu(OnnxNode& node) {
  Builder& build = node.build;
  const Tensor& slope = build.tensor(node.input(1));
  if (slope.data && slope.elements() == 1) {
    const double alpha = node.constant_floats(1, "slope")[0];
    return {build.add("LeakyRelu", {node.input(0)}, {{"alpha", alpha}})};
  }
  const int32_t zero = build.scalar(0.0f);
  const int32_t above = build.add("Max", {node.input(0), zero});
  const int32_t below = build.add("Min", {node.input(0), zero});
  return {build.add("Add", {above, build.add("Mul", {below, node.input(1)})})};
}

std::vector<int32_t> convert_reduce(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t since = node.op() == "ReduceSum" ? 13 : 18;
  Dims axes = node.axes(node.ints_by_opset("axes", 1, since), build.rank(x));
  if (axes.empty()) {
    if (node.int_or("noop_with_empty_axes", 0) != 0) return {x};
    for (int64_t d = 0; d < build.rank(x); ++d) axes.push_back(d);
  }
  std::sort(axes.begin(), axes.end());
  return {build.add(node.op(), {x}, {{"axes", axes}, {"keepdims", node.int_or("keepdims", 1)}})};
}

// Before opset 13 softmax ran over all dimensions from `axis` on, taken as one.
std::vector<int32_t> convert_softmax(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const bool flattens = node.opset < 13;
  const int64_t axis = node.axis(node.int_or("axis", flattens ? 1 : -1), build.rank(x));
  const Dims dims = build.dims(x);
  const auto at = static_cast<size_t>(axis);
  if (!flattens || product(dims, at + 1, dims.size()) == 1) {
    return {build.add(node.op(), {x}, {{"axis", axis}})};
  }
  node.require_static(x, "Softmax of opset 12 or older");
  const Dims flat = {product(dims, 0, at), product(dims, at, dims.size())};
  const int32_t y = build.add(node.op(), {build.reshape(x, flat)}, {{"axis", int64_t{1}}});
  return {build.reshape(y, dims)};
}

}  // namespace medulla::tools
