// SPDX-License-Identifier: Apache-2.0
// Activations that are written by other operators.
#include "tools/import/onnx_ops.h"

namespace medulla::tools {

// 1 at the first greatest value, else 0.
std::vector<int32_t> convert_hardmax(OnnxNode& node) {
  Builder& build = node.build;
  return {over_axis(node, [&](int32_t x, int64_t axis) {
    const auto& symbols = build.tensor(x).symbols;
    const auto along = static_cast<size_t>(axis);
    if (along < symbols.size() && !symbols[along].empty()) node.require_static(x, "Hardmax's axis");
    const int64_t extent = build.dims(x)[static_cast<size_t>(axis)];
    Dims dims(build.dims(x).size(), 1);
    dims[static_cast<size_t>(axis)] = extent;
    require_small({extent});
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < extent; ++i) indices.push_back(i);
    const int32_t at = build.add("ArgMax", {x}, {{"axis", axis}, {"keepdims", int64_t{1}}});
    const int32_t greatest = build.add("Equal", {at, build.constant(MDL_INT64, dims, indices)});
    return build.add("Cast", {greatest}, {{"to", static_cast<int64_t>(build.tensor(x).dtype)}});
  })};
}

// x tanh(ln(1 + e^x)).
std::vector<int32_t> convert_mish(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  return {build.add("Mul", {x, build.add("Tanh", {build.add("Softplus", {x})})})};
}

std::vector<int32_t> convert_selu(OnnxNode& node) {
  Builder& build = node.build;
  const double alpha = node.float_or("alpha", 1.67326319217681884765625f);
  const double gamma = node.float_or("gamma", 1.05070102214813232421875f);
  const int32_t y = build.add("Elu", {node.input(0)}, {{"alpha", alpha}});
  return {build.add("Mul", {y, number_like(node, y, gamma)})};
}

// x + bias below -lambd, x - bias above lambd, else 0.
std::vector<int32_t> convert_shrink(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const double lambda = node.float_or("lambd", 0.5f);
  const int32_t bias = number_like(node, x, node.float_or("bias", 0.0f));
  const int32_t above = build.add("Greater", {x, number_like(node, x, lambda)});
  const int32_t below = build.add("Less", {x, number_like(node, x, -lambda)});
  const int32_t y =
      build.add("Where", {below, build.add("Add", {x, bias}), number_like(node, x, 0)});
  return {build.add("Where", {above, build.add("Sub", {x, bias}), y})};
}

std::vector<int32_t> convert_swish(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const double alpha = node.float_or("alpha", 1.0f);
  const int32_t gate = alpha == 1 ? x : build.add("Mul", {x, number_like(node, x, alpha)});
  const int32_t y = build.add("Mul", {x, build.add("Sigmoid", {gate})});
  return {node.op() == "SwiGLU" ? build.add("Mul", {y, node.input(1)}) : y};
}

std::vector<int32_t> convert_thresholded_relu(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int32_t alpha = number_like(node, x, node.float_or("alpha", 1.0f));
  return {build.add("Where", {build.add("Greater", {x, alpha}), x, number_like(node, x, 0)})};
}

}  // namespace medulla::tools
