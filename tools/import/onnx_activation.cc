// SPDX-License-Identifier: Apache-2.0
// Activations that are written by other operators.
#include "tools/import/onnx_ops.h"

namespace medulla::tools {

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

std::vector<int32_t> convert_thresholded_relu(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int32_t alpha = number_like(node, x, node.float_or("alpha", 1.0f));
  return {build.add("Where", {build.add("Greater", {x, alpha}), x, number_like(node, x, 0)})};
}

}  // namespace medulla::tools
