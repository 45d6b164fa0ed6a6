// SPDX-License-Identifier: Apache-2.0
// What picks elements by their values; how many there are is known only at run time, up to a bound.
#include <limits>
#include <numeric>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

// `count` outputs, of which the first has the dtype and quantization of input 0.
std::vector<int32_t> add_picking(OnnxNode& node, const char* op, std::vector<int32_t> inputs,
                                 Attributes attributes, size_t count) {
  Builder& build = node.build;
  std::vector<int32_t> outputs;
  for (size_t o = 0; o < count; ++o) {
    Tensor out;
    out.name = build.name();
    if (o == 0) {
      out.dtype = build.tensor(inputs[0]).dtype;
      out.quantization = build.tensor(inputs[0]).quantization;
    }
    const bool wanted = node.has_output(static_cast<int>(o));
    outputs.push_back(wanted ? build.add_tensor(std::move(out)) : -1);
  }
  build.append({build.name(), op, 1, std::move(attributes), std::move(inputs), outputs});
  return outputs;
}

void set_axis(const OnnxNode& node, Attributes& attributes) {
  if (node.attribute("axis") == nullptr) return;
  attributes["axis"] = node.axis(node.int_or("axis", 0), node.build.rank(node.input(0)));
}

double scalar_or(const OnnxNode& node, size_t i, const char* what, double otherwise) {
  if (node.input(i) < 0) return otherwise;
  const std::vector<double> values = node.constant_floats(i, what);
  if (values.size() != 1) refuse(std::string(what) + " should be one number");
  return values[0];
}

}  // namespace

std::vector<int32_t> convert_compress(OnnxNode& node) {
  Attributes attributes;
  set_axis(node, attributes);
  return {node.build.add_like("Compress", {node.input(0), node.input(1)}, std::move(attributes))};
}

std::vector<int32_t> convert_non_max_suppression(OnnxNode& node) {
  const double most = scalar_or(node, 2, "max_output_boxes_per_class", 0);
  if (!(most >= 1)) {
    refuse("max_output_boxes_per_class is " + std::to_string(static_cast<int64_t>(most)) +
           ", so that nothing is ever found");
  }
  Attributes attributes = {{"max_output_boxes_per_class", static_cast<int64_t>(most)},
                           {"iou_threshold", scalar_or(node, 3, "iou_threshold", 0)},
                           {"center_point_box", node.int_or("center_point_box", 0)}};
  Builder& build = node.build;
  int32_t scores = node.input(1);
  if (node.input(4) >= 0 && !build.tensor(node.input(4)).data) {
    // Known at run time: what is not above it is below any.
    const int32_t above = build.add("Greater", {scores, node.input(4)});
    const int32_t none = build.scalar(-std::numeric_limits<float>::infinity());
    scores = build.add_typed("Where", {above, scores, none}, {}, MDL_FLOAT32);
  } else if (node.input(4) >= 0) {
    attributes["score_threshold"] = scalar_or(node, 4, "score_threshold", 0);
  }
  return {build.add_typed("NonMaxSuppression", {node.input(0), scores}, std::move(attributes),
                          MDL_INT64)};
}

std::vector<int32_t> convert_non_zero(OnnxNode& node) {
  return {node.build.add_typed("NonZero", {node.input(0)}, {}, MDL_INT64)};
}

// k is an attribute up to opset 9. Of a k that is known only at run time all are sorted, of which
// the first k stay.
std::vector<int32_t> convert_top_k(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t axis = node.axis(node.int_or("axis", -1), build.rank(x));
  const bool varies = node.opset >= 10 && node.input(1) >= 0 && !build.tensor(node.input(1)).data;
  const double k = varies ? static_cast<double>(build.tensor(x).dims[static_cast<size_t>(axis)])
                   : node.opset >= 10 ? scalar_or(node, 1, "k", 0)
                                      : static_cast<double>(node.int_or("k", 0));
  std::vector<int32_t> outputs = add_picking(
      node, "TopK", {x},
      {{"k", static_cast<int64_t>(k)}, {"axis", axis}, {"largest", node.int_or("largest", 1)}}, 2);
  if (!varies) return outputs;
  std::vector<int64_t> places(static_cast<size_t>(k));
  std::iota(places.begin(), places.end(), 0);
  const int32_t all = build.constant(MDL_INT64, {static_cast<int64_t>(places.size())}, places);
  const int32_t kept = build.add("Less", {all, node.input(1)});
  for (int32_t& output : outputs) {
    if (output >= 0) output = build.add_like("Compress", {output, kept}, {{"axis", axis}});
  }
  return outputs;
}

std::vector<int32_t> convert_unique(OnnxNode& node) {
  Attributes attributes = {{"sorted", node.int_or("sorted", 1)}};
  set_axis(node, attributes);
  return add_picking(node, "Unique", {node.input(0)}, std::move(attributes), 4);
}

}  // namespace medulla::tools
