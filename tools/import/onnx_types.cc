// SPDX-License-Identifier: Apache-2.0
// Types by the ONNX library, whose inference trusts what it reads: it divides by strides, takes a
// kernel's rank for that of the image, and looks at inputs that are not there. What is known to
// break it is hidden from it, and it runs in a child process.
#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <climits>

#include "tools/common/child.h"
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

// The inputs, outputs and attributes are those that the operator has to have.
bool has_form(const onnx::NodeProto& node, int opset) {
  if (!is_default_domain(node.domain())) return true;
  const auto* schema = onnx::OpSchemaRegistry::Schema(node.op_type(), opset, "");
  if (schema == nullptr) return true;
  try {
    schema->Verify(node);
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

// Of operators whose inference relies on ranks that it does not know.
bool has_sane_ranks(const onnx::NodeProto& node) {
  if (node.op_type() == "MaxUnpool") return false;
  if (node.op_type() == "LayerNormalization") return node.output_size() < 2;
  if (node.op_type() != "Scan") return true;
  int64_t scanned = 0;
  int inner = 0;
  for (const auto& a : node.attribute()) {
    if (a.name() == "num_scan_inputs") scanned = a.i();
    if (a.name() == "body") inner = a.g().input_size();
  }
  return scanned > 0 && scanned <= node.input_size() && inner == node.input_size();
}

// Raw bytes are copied into whole elements.
bool has_whole_elements(const onnx::TensorProto& tensor) {
  const bool wide = tensor.data_type() == onnx::TensorProto::INT64 ||
                    tensor.data_type() == onnx::TensorProto::DOUBLE;
  const bool narrow = tensor.data_type() == onnx::TensorProto::INT32 ||
                      tensor.data_type() == onnx::TensorProto::FLOAT;
  return tensor.raw_data().size() % (wide ? 8 : narrow ? 4 : 1) == 0;
}

bool has_whole_elements(const onnx::GraphProto& graph) {
  for (const auto& constant : graph.initializer()) {
    if (!has_whole_elements(constant)) return false;
  }
  for (const auto& node : graph.node()) {
    for (const auto& a : node.attribute()) {
      if (!has_whole_elements(a.t()) || !has_whole_elements(a.g())) return false;
    }
  }
  return true;
}

using Hidden = std::vector<std::pair<onnx::NodeProto*, std::string>>;

void hide(onnx::GraphProto& graph, int opset, Hidden& hidden) {
  for (auto& node : *graph.mutable_node()) {
    for (auto& a : *node.mutable_attribute()) {
      if (a.has_g()) hide(*a.mutable_g(), opset, hidden);
    }
    if (has_form(node, opset) && has_sane_ranks(node) && has_sane_window(node) &&
        states_kernel(node, graph)) {
      continue;
    }
    hidden.emplace_back(&node, node.op_type());
    node.set_op_type("hidden");
  }
}

void infer_types(onnx::ModelProto& model) {
  if (!has_whole_elements(model.graph())) return;
  int64_t opset = 0;
  for (const auto& import : model.opset_import()) {
    if (is_default_domain(import.domain())) opset = import.version();
  }
  Hidden hidden;
  hide(*model.mutable_graph(), static_cast<int>(std::min<int64_t>(opset, INT_MAX)), hidden);
  onnx::shape_inference::InferShapes(model);
  for (const auto& [node, op] : hidden) node->set_op_type(op);
}

}  // namespace

void infer_onnx_types(onnx::ModelProto& model) {
  try {
    const std::string typed = in_child([&] {
      infer_types(model);
      return model.SerializeAsString();
    });
    onnx::ModelProto read;
    if (read.ParseFromString(typed)) model = std::move(read);
  } catch (const std::exception&) {
    // What the model declares has to do.
  }
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
