// SPDX-License-Identifier: Apache-2.0
// What moves elements. Shapes, axes and counts become attributes.
#include <algorithm>
#include <numeric>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {

std::vector<int32_t> convert_concat(OnnxNode& node) {
  Builder& build = node.build;
  std::vector<int32_t> inputs = node.inputs;
  // An empty tensor adds nothing, whatever its rank (exporters start lists with one).
  std::erase_if(inputs, [&](int32_t t) { return build.tensor(t).elements() == 0; });
  if (inputs.empty()) inputs = node.inputs;
  const int64_t axis = node.axis(node.int_or("axis", 1), build.rank(inputs[0]));
  return {build.concat(std::move(inputs), axis)};
}

std::vector<int32_t> convert_expand(OnnxNode& node) {
  Builder& build = node.build;
  const Dims& in = build.dims(node.input(0));
  Dims shape = node.constant_ints(1, "shape");
  if (shape.size() < in.size()) shape.insert(shape.begin(), in.size() - shape.size(), 1);
  for (size_t d = 0; d < in.size(); ++d) {
    int64_t& wanted = shape[shape.size() - in.size() + d];
    if (wanted == 1) wanted = in[d];
  }
  if (shape == in) return {node.input(0)};
  return {build.add_like("Expand", {node.input(0)}, {{"shape", shape}})};
}

std::vector<int32_t> convert_flatten(OnnxNode& node) {
  Builder& build = node.build;
  const int64_t rank = build.rank(node.input(0));
  const int64_t given = node.int_or("axis", 1);
  const int64_t axis = given < 0 ? given + rank : given;
  return {build.add_like("Flatten", {node.input(0)}, {{"axis", axis}})};
}

std::vector<int32_t> convert_identity(OnnxNode& node) { return {node.input(0)}; }

// Nothing is dropped: the mask is true everywhere.
std::vector<int32_t> convert_dropout(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  if (node.input(2) >= 0 && node.constant_floats(2, "training_mode").at(0) != 0) {
    const double ratio = node.input(1) < 0 ? 0.5 : node.constant_floats(1, "ratio").at(0);
    if (ratio != 0) {
      refuse("drops values at random, which is a matter of training", "export in eval mode",
             "training_mode");
    }
  }
  if (!node.has_output(1)) return {x};
  node.require_static(x, "the mask");
  if (build.tensor(x).elements() > size_t{1} << 30) refuse("the mask fits into no memory");
  const std::vector<uint8_t> mask(build.tensor(x).elements(), 1);
  return {x, build.constant(MDL_BOOL, build.dims(x), mask)};
}

std::vector<int32_t> convert_pad(OnnxNode& node) {
  Builder& build = node.build;
  const auto rank = static_cast<size_t>(build.rank(node.input(0)));
  Dims pads = node.ints_by_opset("pads", 1, 11);
  if (node.input(3) >= 0) {
    const Dims axes = node.axes(node.constant_ints(3, "axes"), static_cast<int64_t>(rank));
    if (pads.size() != 2 * axes.size()) {
      refuse("pads has " + std::to_string(pads.size()) + " entries, should have " +
             std::to_string(2 * axes.size()));
    }
    Dims full(2 * rank, 0);
    for (size_t i = 0; i < axes.size(); ++i) {
      full[static_cast<size_t>(axes[i])] = pads[i];
      full[static_cast<size_t>(axes[i]) + rank] = pads[i + axes.size()];
    }
    pads = full;
  }
  if (std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; })) {
    return {node.input(0)};
  }
  double value = node.float_or("value", 0);
  if (node.opset >= 11 && node.input(2) >= 0) {
    value = node.constant_floats(2, "constant_value").at(0);
  }
  return {build.add_like(
      "Pad", {node.input(0)},
      {{"pads", pads}, {"mode", node.string_or("mode", "constant")}, {"value", value}})};
}

std::vector<int32_t> convert_reshape(OnnxNode& node) {
  Builder& build = node.build;
  const Dims shape = node.constant_ints(1, "shape");
  const int64_t allowzero = node.int_or("allowzero", 0);
  return {build.add_like("Reshape", {node.input(0)}, {{"shape", shape}, {"allowzero", allowzero}})};
}

std::vector<int32_t> convert_slice(OnnxNode& node) {
  Builder& build = node.build;
  const Dims starts = node.ints_by_opset("starts", 1, 10);
  const Dims ends = node.ints_by_opset("ends", 2, 10);
  Dims axes = node.ints_by_opset("axes", 3, 10);
  Dims steps = node.opset < 10 ? Dims() : node.ints_by_opset("steps", 4, 10);
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  axes = node.axes(axes, build.rank(node.input(0)));
  return {build.add_like("Slice", {node.input(0)},
                         {{"starts", starts}, {"ends", ends}, {"axes", axes}, {"steps", steps}})};
}

std::vector<int32_t> convert_split(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  if (build.rank(x) == 0) refuse("a scalar cannot be split");
  const int64_t axis = node.axis(node.int_or("axis", 0), build.rank(x));
  Dims sizes = node.ints_by_opset("split", 1, 13);
  if (sizes.empty()) {
    const int64_t outputs = node.proto.output_size();
    const int64_t parts = node.int_or("num_outputs", outputs);
    if (parts != outputs) {
      refuse("is " + std::to_string(parts) + ", the node has " + std::to_string(outputs), "",
             "num_outputs");
    }
    const int64_t whole = build.dims(x)[static_cast<size_t>(axis)];
    const int64_t part = (whole + parts - 1) / parts;
    sizes.assign(static_cast<size_t>(parts), part);
    sizes.back() = whole - part * (parts - 1);
  }
  Attributes attributes = {{"axis", axis}, {"sizes", sizes}};
  // Sizes stand for all parts, so those that nobody reads are made too.
  const std::vector<int32_t> parts =
      build.add_many("Split", {x}, std::move(attributes), std::vector<bool>(sizes.size(), true));
  for (const int32_t part : parts) {
    build.graph().tensors[static_cast<size_t>(part)].quantization = build.tensor(x).quantization;
  }
  return parts;
}

std::vector<int32_t> convert_squeeze(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  Dims axes = node.ints_by_opset("axes", 1, 13);
  const bool squeeze = node.op() == "Squeeze";
  if (squeeze && axes.empty()) {
    for (size_t d = 0; d < build.dims(x).size(); ++d) {
      if (build.dims(x)[d] == 1) axes.push_back(static_cast<int64_t>(d));
    }
  }
  const auto added = static_cast<int64_t>(axes.size());
  axes = node.axes(axes, build.rank(x) + (squeeze ? 0 : added));
  std::sort(axes.begin(), axes.end());
  return {build.add_like(node.op(), {x}, {{"axes", axes}})};
}

std::vector<int32_t> convert_tile(OnnxNode& node) {
  const Dims repeats = node.constant_ints(1, "repeats");
  if (std::all_of(repeats.begin(), repeats.end(), [](int64_t r) { return r == 1; })) {
    return {node.input(0)};
  }
  return {node.build.add_like("Tile", {node.input(0)}, {{"repeats", repeats}})};
}

std::vector<int32_t> convert_transpose(OnnxNode& node) {
  Dims perm = node.ints("perm");
  if (perm.empty()) {
    for (int64_t d = node.build.rank(node.input(0)); d > 0; --d) perm.push_back(d - 1);
  }
  return {node.build.transpose(node.input(0), perm)};
}

}  // namespace medulla::tools
