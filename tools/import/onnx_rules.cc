// SPDX-License-Identifier: Apache-2.0
#include "tools/import/onnx_rules.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <cstring>

#include "tools/common/shape_text.h"
#include "tools/import/cycle.h"
#include "tools/import/onnx_importer.h"

namespace medulla::tools {

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  const std::string output = first_output(node);
  return output.empty() ? node.op_type() : output;
}

std::string first_output(const onnx::NodeProto& node) {
  for (const std::string& output : node.output()) {
    if (!output.empty()) return output;
  }
  return "";
}

OnnxRules::OnnxRules(const onnx::ModelProto& model, int64_t opset,
                     std::map<std::string, int64_t> opsets)
    : graph_(model.graph()), opset_(opset), opsets_(std::move(opsets)) {
  const auto& ranges = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  knows_version_ = opset <= ranges.at("").second && model.ir_version() <= onnx::IR_VERSION;
  std::unordered_map<std::string, int> imports;
  for (const auto& import : model.opset_import()) {
    const std::string& domain = import.domain();
    imports[is_default_domain(domain) ? "" : domain] = static_cast<int>(import.version());
  }
  imports[""] = static_cast<int>(opset);
  context_.set_ir_version(static_cast<int>(model.ir_version()));
  context_.set_opset_imports(imports);
  for (const auto& input : graph_.input()) names_.add(input.name());
  for (const auto& constant : graph_.initializer()) names_.add(constant.name());
  for (const auto& node : graph_.node()) {
    for (const std::string& output : node.output()) names_.add(output);
  }
  add_scope(graph_, nullptr);
}

void OnnxRules::add_scope(const onnx::GraphProto& graph, const Scope* outer) {
  Scope& scope = scopes_[&graph];
  scope.outer = outer;
  for (const auto& node : graph.node()) {
    for (const std::string& output : node.output()) {
      if (!output.empty()) scope.makers.emplace(output, &node);
    }
    for (const auto* body : bodies_of(node)) add_scope(*body, &scope);
  }
}

int64_t OnnxRules::opset_of(const onnx::NodeProto& node) const {
  const auto found = opsets_.find(first_output(node));
  return found == opsets_.end() ? opset_ : found->second;
}

// What is of another opset came from the body of a function, which the library made.
void OnnxRules::check(const onnx::NodeProto& node) const {
  if (!knows_version_) return check_signature(node, opset_of(node));
  if (opset_of(node) != opset_) return;
  const auto* schema = onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(opset_), "");
  if (schema == nullptr) return;
  const auto& inputs = schema->inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].GetOption() != onnx::OpSchema::Single) continue;
    const auto at = static_cast<int>(i);
    if (at < node.input_size() && !node.input(at).empty()) continue;
    refuse("input " + std::to_string(i) + " (" + inputs[i].GetName() + ") is missing",
           "the operator needs it: export the model anew");
  }
  try {
    onnx::checker::check_node(node, context_, names_);
  } catch (const std::exception& why) {
    const std::string text = why.what();
    refuse("ONNX's checker says: " + text.substr(0, text.find('\n')));
  }
}

const onnx::NodeProto* OnnxRules::maker(const Scope* scope, const std::string& name) {
  for (; scope != nullptr; scope = scope->outer) {
    const auto found = scope->makers.find(name);
    if (found != scope->makers.end()) return found->second;
  }
  return nullptr;
}

std::string OnnxRules::cycle_through(const Scope& scope, const onnx::NodeProto& node) {
  const auto makers_of = [&](const onnx::NodeProto* reader) {
    std::vector<const onnx::NodeProto*> makers;
    for (const std::string& input : reader->input()) {
      const onnx::NodeProto* from = maker(&scope, input);
      if (from != nullptr) makers.push_back(from);
    }
    return makers;
  };
  return tools::cycle_through(&node, makers_of, [](const auto* n) { return name_of(*n); });
}

Refused OnnxRules::why_unmade(const onnx::GraphProto& graph, const onnx::NodeProto& node,
                              const std::string& name) const {
  const Scope& scope = scopes_.at(&graph);
  const onnx::NodeProto* from = maker(&scope, name);
  const std::string reads = "reads '" + name + "', which ";
  if (from == nullptr) return {"", reads + "nothing makes", "export the model anew"};
  const std::string cycle = cycle_through(scope, node);
  if (!cycle.empty()) return {"", "stands in a cycle: " + cycle, "export the model anew"};
  return {"", reads + "'" + name_of(*from) + "' makes, and that is listed behind it",
          "list nodes behind those that make what they read"};
}

std::vector<Refusal> find_twins(const onnx::GraphProto& graph, int64_t opset) {
  std::vector<Refusal> twins;
  const auto add = [&](std::map<std::string, std::string>& taken, const std::string& name,
                       const std::string& what) {
    const auto [found, is_new] = taken.emplace(name, what);
    if (is_new || name.empty()) return;
    twins.push_back({name, "name", "", opset, "is given to " + found->second + " and to " + what,
                     "give every tensor a name of its own"});
  };
  // An initializer may be the default value of an input.
  std::map<std::string, std::string> taken, inputs, outputs;
  for (const auto& constant : graph.initializer()) add(taken, constant.name(), "an initializer");
  for (const auto& input : graph.input()) {
    add(inputs, input.name(), "an input");
    taken.emplace(input.name(), "an input");
  }
  for (const auto& node : graph.node()) {
    for (const std::string& output : node.output()) {
      add(taken, output, "an output of '" + name_of(node) + "'");
    }
  }
  for (const auto& output : graph.output()) add(outputs, output.name(), "an output of the graph");
  return twins;
}

bool has_nan(const Tensor& tensor) {
  const auto above = [&](auto magnitude, auto infinity) {
    decltype(magnitude) bits;
    for (size_t at = 0; at + sizeof bits <= tensor.data->size(); at += sizeof bits) {
      std::memcpy(&bits, tensor.data->data() + at, sizeof bits);
      if ((bits & magnitude) > infinity) return true;
    }
    return false;
  };
  if (tensor.data == nullptr) return false;
  switch (tensor.dtype) {
    case MDL_FLOAT32:
      return above(uint32_t{0x7fffffff}, uint32_t{0x7f800000});
    case MDL_FLOAT16:
      return above(uint16_t{0x7fff}, uint16_t{0x7c00});
    case MDL_BFLOAT16:
      return above(uint16_t{0x7fff}, uint16_t{0x7f80});
    default:
      return false;
  }
}

std::string contradiction(const onnx::TypeProto::Tensor& type, const Tensor& tensor,
                          const std::string& found) {
  const int32_t stated_dtype = type.elem_type();
  if (stated_dtype != onnx::TensorProto::UNDEFINED && onnx_dtype(stated_dtype) != tensor.dtype) {
    return std::string("is declared ") + mdl_dtype_name(onnx_dtype(stated_dtype)) + ", " + found +
           " " + mdl_dtype_name(tensor.dtype);
  }
  if (!type.has_shape()) return "";
  const onnx::TensorShapeProto& declared = type.shape();
  std::vector<std::string> stated, made;
  bool differs = static_cast<size_t>(declared.dim_size()) != tensor.dims.size();
  for (const auto& dim : declared.dim()) {
    stated.push_back(dim.dim_value() > 0       ? std::to_string(dim.dim_value())
                     : dim.dim_param().empty() ? "?"
                                               : dim.dim_param());
  }
  for (size_t d = 0; d < tensor.dims.size(); ++d) {
    const bool varies = d < tensor.symbols.size() && !tensor.symbols[d].empty();
    made.push_back((varies ? "<=" : "") + std::to_string(tensor.dims[d]));
    if (differs) continue;
    const int64_t extent = declared.dim(static_cast<int>(d)).dim_value();
    differs = extent > 0 && (varies ? extent > tensor.dims[d] : extent != tensor.dims[d]);
  }
  if (!differs) return "";
  return "is declared " + shape_text(stated) + ", " + found + " " + shape_text(made);
}

std::string symbol_of(const onnx::ValueInfoProto& input, int d) {
  const auto& dim = input.type().tensor_type().shape().dim(d);
  if (dim.has_dim_value() && dim.dim_value() > 0) return "";
  return dim.dim_param().empty() ? input.name() + "." + std::to_string(d) : dim.dim_param();
}

}  // namespace medulla::tools
