// SPDX-License-Identifier: Apache-2.0
// Normalizations, by given statistics or by those of the values at hand.
#include <limits>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

void require_float32_statistics(const OnnxNode& node) {
  if (node.int_or("stash_type", 1) != 1) {
    refuse("statistics are float32 only", "export with stash_type=1", "stash_type");
  }
}

double epsilon_of(const OnnxNode& node) { return node.float_or("epsilon", 1e-5f); }

// A parameter of each group as one of each channel: [G] -> [C].
int32_t over_channels(Builder& build, int32_t parameter, int64_t groups, int64_t channels) {
  if (build.dims(parameter) == Dims{channels}) return parameter;
  const Dims spread = {groups, channels / groups};
  const int32_t column = build.reshape(parameter, {groups, 1});
  return build.reshape(build.add("Expand", {column}, {{"shape", spread}}), {channels});
}

int32_t group_normalization(OnnxNode& node, int64_t groups) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t channels = build.dims(x).at(1);
  std::vector<int32_t> inputs = {channels_last(build, x)};
  for (const size_t i : {1, 2}) {
    inputs.push_back(over_channels(build, node.input(i), groups, channels));
  }
  const int32_t y = build.add("GroupNormalization", std::move(inputs),
                              {{"num_groups", groups}, {"epsilon", epsilon_of(node)}});
  return channels_first(build, y);
}

// A scale or bias of the dimensions from `axis` on, broadcast to all of them.
int32_t over_rows(Builder& build, int32_t parameter, int32_t x, int64_t axis) {
  const Dims& dims = build.dims(x);
  const Dims row(dims.begin() + axis, dims.end());
  if (build.dims(parameter) == row) return parameter;
  return build.add("Expand", {parameter}, {{"shape", row}});
}

Attributes row_attributes(const OnnxNode& node, int64_t axis) {
  require_float32_statistics(node);
  return {{"axis", axis}, {"epsilon", epsilon_of(node)}};
}

}  // namespace

std::vector<int32_t> convert_batch_normalization(OnnxNode& node) {
  if (node.has_output(1) || node.int_or("training_mode", 0) != 0) {
    refuse("statistics of the batch are a matter of training", "export the model in eval mode");
  }
  if (node.int_or("spatial", 1) != 1) {
    refuse("statistics for each element are not taken", "export with opset 9 or later", "spatial");
  }
  Builder& build = node.build;
  const int32_t y = build.add("BatchNormalization",
                              {channels_last(build, node.input(0)), node.input(1), node.input(2),
                               node.input(3), node.input(4)},
                              {{"epsilon", epsilon_of(node)}});
  return {channels_first(build, y)};
}

std::vector<int32_t> convert_instance_normalization(OnnxNode& node) {
  return {group_normalization(node, node.build.dims(node.input(0)).at(1))};
}

std::vector<int32_t> convert_group_normalization(OnnxNode& node) {
  require_float32_statistics(node);
  return {group_normalization(node, node.int_or("num_groups", 1))};
}

std::vector<int32_t> convert_layer_normalization(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t axis = node.axis(node.int_or("axis", -1), build.rank(x));
  std::vector<int32_t> inputs = {x, over_rows(build, node.input(1), x, axis)};
  if (node.input(2) >= 0) inputs.push_back(over_rows(build, node.input(2), x, axis));
  std::vector<bool> wanted = node.wanted_outputs();
  while (!wanted.empty() && !wanted.back()) wanted.pop_back();
  return build.add_many(node.op(), std::move(inputs), row_attributes(node, axis), wanted);
}

std::vector<int32_t> convert_rms_normalization(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t axis = node.axis(node.int_or("axis", -1), build.rank(x));
  return {build.add(node.op(), {x, over_rows(build, node.input(1), x, axis)},
                    row_attributes(node, axis))};
}

// x / |x|, the norm taken along the axis. Where that is 0 so is x, which any divisor keeps.
std::vector<int32_t> convert_lp_normalization(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const Dims axes = {node.axis(node.int_or("axis", -1), build.rank(x))};
  const int32_t norm = lp_norm(build, x, axes, node.int_or("p", 2));
  const int32_t least = build.scalar(std::numeric_limits<float>::min());
  return {build.add("Div", {x, build.add("Max", {norm, least})})};
}

std::vector<int32_t> convert_lrn(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t y = build.add("LRN", {channels_last(build, node.input(0))},
                              {{"size", node.int_or("size", 1)},
                               {"alpha", node.float_or("alpha", 1e-4f)},
                               {"beta", node.float_or("beta", 0.75f)},
                               {"bias", node.float_or("bias", 1.0f)}});
  return {channels_first(build, y)};
}

// (sum of |x|^p over the axes)^(1/p), the axes kept.
int32_t lp_norm(Builder& build, int32_t x, const Dims& axes, int64_t p) {
  const Attributes over = {{"axes", axes}, {"keepdims", int64_t{1}}};
  if (p == 2) return build.add("Sqrt", {build.add("ReduceSum", {build.add("Mul", {x, x})}, over)});
  const int32_t size = build.add("Abs", {x});
  if (p == 1) return build.add("ReduceSum", {size}, over);
  const auto power = static_cast<float>(p);
  const int32_t powers = build.add("Pow", {size, build.scalar(power)});
  return build.add("Pow", {build.add("ReduceSum", {powers}, over), build.scalar(1 / power)});
}

}  // namespace medulla::tools
