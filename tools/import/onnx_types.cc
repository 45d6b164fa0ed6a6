// SPDX-License-Identifier: Apache-2.0
// Types by the ONNX library, whose inference trusts the numbers of windows: it divides by strides
// and takes a kernel's rank for that of the image. Nodes with others are hidden from it.
#include <onnx/shape_inference/implementation.h>

#include <algorithm>

#include "tools/import/onnx_rules.h"

namespace medulla::tools {
namespace {

constexpr int64_t kMost = int64_t{1} << 31;

bool is_sane(int64_t value) { return value > 0 && value < kMost; }

bool has_sane_window(const onnx::NodeProto& node) {
  for (const auto& a : node.attribute()) {
    const std::string& name = a.name();
    if ((name == "group" || name == "blocksize") && !is_sane(a.i())) return false;
    const bool positive = name == "strides" || name == "dilations" || name == "kernel_shape" ||
                          name == "output_shape";
    if (positive && !std::all_of(a.ints().begin(), a.ints().end(), is_sane)) return false;
    const auto is_small = [](int64_t value) { return value > -kMost && value < kMost; };
    const bool small = name == "pads" || name == "output_padding";
    if (small && !std::all_of(a.ints().begin(), a.ints().end(), is_small)) return false;
  }
  return true;
}

// The kernel's shape stands in an attribute, where the library compares it with the image's.
bool states_kernel(onnx::NodeProto& node, const onnx::GraphProto& graph) {
  if (node.op_type().find("Conv") == std::string::npos) return true;
  for (const auto& a : node.attribute()) {
    if (a.name() == "kernel_shape") return true;
  }
  const int at = node.op_type() == "QLinearConv" ? 3 : 1;
  if (node.input_size() <= at) return false;
  const auto weights =
      std::find_if(graph.initializer().begin(), graph.initializer().end(),
                   [&](const auto& constant) { return constant.name() == node.input(at); });
  if (weights == graph.initializer().end() || weights->dims_size() < 3 ||
      !std::all_of(weights->dims().begin(), weights->dims().end(), is_sane)) {
    return false;
  }
  auto* kernel = node.add_attribute();
  kernel->set_name("kernel_shape");
  kernel->set_type(onnx::AttributeProto::INTS);
  for (int d = 2; d < weights->dims_size(); ++d) kernel->add_ints(weights->dims(d));
  return true;
}

using Hidden = std::vector<std::pair<onnx::NodeProto*, std::string>>;

void hide(onnx::GraphProto& graph, Hidden& hidden) {
  for (auto& node : *graph.mutable_node()) {
    for (auto& a : *node.mutable_attribute()) {
      if (a.has_g()) hide(*a.mutable_g(), hidden);
    }
    if (has_sane_window(node) && states_kernel(node, graph)) continue;
    hidden.emplace_back(&node, node.op_type());
    node.set_op_type("hidden");
  }
}

}  // namespace

void infer_onnx_types(onnx::ModelProto& model) {
  Hidden hidden;
  hide(*model.mutable_graph(), hidden);
  try {
    onnx::shape_inference::InferShapes(model);
  } catch (const std::exception&) {
    // What the model declares has to do.
  }
  for (const auto& [node, op] : hidden) node->set_op_type(op);
}

const onnx::TypeProto* InferredTypes::find(const std::string& name) {
  if (!typed_) {
    infer_onnx_types(typed_.emplace(model_));
    for (const auto* list : {&typed_->graph().value_info(), &typed_->graph().output()}) {
      for (const auto& value : *list) types_[value.name()] = &value.type();
    }
  }
  const auto found = types_.find(name);
  return found == types_.end() ? nullptr : found->second;
}

}  // namespace medulla::tools
