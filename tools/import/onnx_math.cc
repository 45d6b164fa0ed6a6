// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tools/import/dimensions.h"
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
  const auto most = static_cast<double>(std::numeric_limits<float>::max());
  const bool lower = std::string(name) == "min";
  if (lower ? value <= -most : value >= most) return {};
  if (!(std::abs(value) < most)) {
    refuse(std::string(name) + " is " + std::to_string(value) + ", should be a finite number", "",
           name);
  }
  return value;
}

}  // namespace

int32_t number_like(OnnxNode& node, int32_t tensor, double value) {
  const mdl_dtype dtype = node.build.tensor(tensor).dtype;
  const int32_t number = node.build.constant<double>(MDL_FLOAT64, {}, {value});
  return node.build.add("Cast", {number}, {{"to", static_cast<int64_t>(dtype)}});
}

bool is_half(mdl_dtype dtype) { return dtype == MDL_FLOAT16 || dtype == MDL_BFLOAT16; }

int32_t widened(Builder& build, int32_t x) {
  if (!is_half(build.tensor(x).dtype)) return x;
  return build.add("Cast", {x}, {{"to", int64_t{MDL_FLOAT32}}});
}

int32_t narrowed(Builder& build, int32_t y, mdl_dtype dtype) {
  return is_half(dtype) ? build.add("Cast", {y}, {{"to", static_cast<int64_t>(dtype)}}) : y;
}

std::vector<int32_t> convert_unary(OnnxNode& node) {
  Attributes attributes;
  if (node.op() == "LeakyRelu") attributes["alpha"] = node.float_or("alpha", 0.01f);
  if (node.op() == "Elu") attributes["alpha"] = node.float_or("alpha", 1.0f);
  if (node.op() == "HardSigmoid") {
    attributes["alpha"] = node.float_or("alpha", 0.2f);
    attributes["beta"] = node.float_or("beta", 0.5f);
  }
  if (node.op() == "Gelu") attributes["approximate"] = node.string_or("approximate", "none");
  if (node.op() == "IsInf") {
    attributes["detect_negative"] = node.int_or("detect_negative", 1);
    attributes["detect_positive"] = node.int_or("detect_positive", 1);
  }
  return {node.build.add(node.op(), {node.input(0)}, std::move(attributes))};
}

std::vector<int32_t> convert_binary(OnnxNode& node) {
  Attributes attributes;
  if (node.op() == "Mod") attributes["fmod"] = node.int_or("fmod", 0);
  if (node.op() == "BitShift") attributes["direction"] = node.string_or("direction", "");
  return {node.build.add(node.op(), {node.input(0), node.input(1)}, std::move(attributes))};
}

std::vector<int32_t> convert_variadic(OnnxNode& node) {
  Builder& build = node.build;
  const std::string op = node.op() == "Max" || node.op() == "Min" ? node.op() : "Add";
  int32_t result = node.input(0);
  for (size_t i = 1; i < node.inputs.size(); ++i) result = build.add(op, {result, node.input(i)});
  if (node.op() == "Mean" && node.inputs.size() > 1) {
    result = build.add(
        "Div", {result, number_like(node, result, static_cast<double>(node.inputs.size()))});
  }
  return {result};
}

// The operator has bounds of float32; others are operands of Max and Min.
std::vector<int32_t> convert_clip(OnnxNode& node) {
  Builder& build = node.build;
  const auto computed = [&](size_t i) {
    return node.input(i) >= 0 && !build.tensor(node.input(i)).data;
  };
  if (node.opset >= 11 &&
      (build.tensor(node.input(0)).dtype != MDL_FLOAT32 || computed(1) || computed(2))) {
    int32_t y = node.input(0);
    if (node.input(1) >= 0) y = build.add("Max", {y, node.input(1)});
    if (node.input(2) >= 0) y = build.add("Min", {y, node.input(2)});
    return {y};
  }
  Attributes attributes;
  if (const auto min = bound(node, "min", 1)) attributes["min"] = *min;
  if (const auto max = bound(node, "max", 2)) attributes["max"] = *max;
  if (attributes.empty()) return {node.input(0)};
  return {build.add("Clip", {node.input(0)}, std::move(attributes))};
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
  if (slope.data && slope.elements() == 1 && slope.dtype == MDL_FLOAT32) {
    const double alpha = node.constant_floats(1, "slope")[0];
    return {build.add("LeakyRelu", {node.input(0)}, {{"alpha", alpha}})};
  }
  int32_t slopes = node.input(1);
  const Dims& x = build.dims(node.input(0));
  // Before opset 7 there was one slope a channel, which the ONNX library keeps as it was.
  if (slope.dims.size() == 1 && x.size() > 2 && slope.dims[0] == x[1] &&
      slope.dims[0] != x.back()) {
    Dims shape(x.size() - 1, 1);
    shape[0] = x[1];
    slopes = build.reshape(slopes, shape);
  }
  const int32_t zero = number_like(node, node.input(0), 0);
  const int32_t above = build.add("Max", {node.input(0), zero});
  const int32_t below = build.add("Min", {node.input(0), zero});
  return {build.add("Add", {above, build.add("Mul", {below, slopes})})};
}

// Before opset 13 these ran over all dimensions from `axis` on, taken as one.
int32_t over_axis(OnnxNode& node, const std::function<int32_t(int32_t, int64_t)>& convert) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const bool flattens = node.opset < 13;
  const int64_t axis = node.axis(node.int_or("axis", flattens ? 1 : -1), build.rank(x));
  const Dims dims = build.dims(x);
  const auto at = static_cast<size_t>(axis);
  if (!flattens || product(dims, at + 1, dims.size()) == 1) return convert(x, axis);
  const Dims flat = {product(dims, 0, at), product(dims, at, dims.size())};
  const auto symbols = symbols_of(build.tensor(x));
  const int32_t rows = reshape_open(
      build, x, flat, {first_open(symbols, 0, at), first_open(symbols, at, dims.size())});
  return reshape_open(build, convert(rows, 1), dims, symbols);
}

std::vector<int32_t> convert_softmax(OnnxNode& node) {
  Builder& build = node.build;
  return {over_axis(node, [&](int32_t x, int64_t axis) {
    const mdl_dtype dtype = build.tensor(x).dtype;
    return narrowed(build, build.add(node.op(), {widened(build, x)}, {{"axis", axis}}), dtype);
  })};
}

}  // namespace medulla::tools
