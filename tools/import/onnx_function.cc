// SPDX-License-Identifier: Apache-2.0
#include "tools/import/onnx_function.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <optional>

#include "tools/import/onnx.h"
#include "tools/import/onnx_refusals.h"
#include "tools/import/onnx_rules.h"

namespace medulla::tools {
namespace {

// A few small functions can grow to any number of nodes.
constexpr size_t kMostNodes = 100000;

bool has_row(const std::string& op, int64_t opset) {
  for (const OnnxRow& row : onnx_table()) {
    if (op == row.op && opset >= row.first_opset && opset <= row.last_opset) return true;
  }
  return false;
}

const onnx::OpSchema* schema_of(const onnx::NodeProto& node, int64_t opset) {
  return onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(opset), "");
}

using Types = std::map<std::string, onnx::TypeProto>;

void read_types(const onnx::GraphProto& graph, Types& types) {
  for (const auto* list : {&graph.input(), &graph.value_info(), &graph.output()}) {
    for (const auto& value : *list) types[value.name()] = value.type();
  }
  for (const auto& constant : graph.initializer()) {
    auto* tensor = types[constant.name()].mutable_tensor_type();
    tensor->set_elem_type(constant.data_type());
    tensor->clear_shape();
    for (const int64_t d : constant.dims()) tensor->mutable_shape()->add_dim()->set_dim_value(d);
  }
}

// One call and the body that takes its place.
class Expansion {
 public:
  Expansion(const onnx::NodeProto& call, const onnx::FunctionProto& function, std::string prefix)
      : call_(call), prefix_(std::move(prefix)) {
    for (int i = 0; i < function.output_size(); ++i) {
      if (i < call.output_size() && !call.output(i).empty()) {
        names_[function.output(i)] = call.output(i);
      }
    }
    for (int i = 0; i < function.input_size(); ++i) {
      names_[function.input(i)] = i < call.input_size() ? call.input(i) : "";
    }
    names_[""] = "";
    for (const auto& attribute : call.attribute()) attributes_[attribute.name()] = attribute;
  }

  // What the call leaves out has this value.
  void set_default(const onnx::AttributeProto& attribute) {
    if (attribute.type() != onnx::AttributeProto::UNDEFINED) {
      attributes_.emplace(attribute.name(), attribute);
    }
  }

  onnx::NodeProto node(const onnx::NodeProto& body) const {
    onnx::NodeProto node = body;
    node.set_name(name_of(call_) + "/" + (body.name().empty() ? body.op_type() : body.name()));
    for (std::string& name : *node.mutable_input()) name = renamed(name);
    for (std::string& name : *node.mutable_output()) name = renamed(name);
    node.clear_attribute();
    for (onnx::AttributeProto attribute : body.attribute()) {
      if (!attribute.ref_attr_name().empty()) {
        const auto given = attributes_.find(attribute.ref_attr_name());
        if (given == attributes_.end()) continue;
        const std::string name = attribute.name();
        attribute = given->second;
        attribute.set_name(name);
      }
      if (attribute.has_g()) *attribute.mutable_g() = graph(attribute.g());
      *node.add_attribute() = attribute;
    }
    return node;
  }

 private:
  std::string renamed(const std::string& name) const {
    const auto found = names_.find(name);
    return found != names_.end() ? found->second : prefix_ + "/" + name;
  }

  onnx::GraphProto graph(const onnx::GraphProto& body) const {
    onnx::GraphProto graph = body;
    for (auto* list : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
      for (auto& value : *list) value.set_name(renamed(value.name()));
    }
    for (auto& constant : *graph.mutable_initializer()) constant.set_name(renamed(constant.name()));
    for (auto& inner : *graph.mutable_node()) inner = node(inner);
    return graph;
  }

  const onnx::NodeProto& call_;
  const std::string prefix_;
  std::map<std::string, std::string> names_;
  std::map<std::string, onnx::AttributeProto> attributes_;
};

class Expander {
 public:
  Expander(onnx::ModelProto& model, int64_t opset) : model_(model), opset_(opset) {
    for (const auto& function : model.functions()) {
      functions_[{function.domain(), function.name()}] = &function;
    }
  }

  // In rounds, for bodies may call functions; the model's own first, through which ONNX's library
  // sees no types.
  std::map<std::string, int64_t> run() {
    for (const auto& function : model_.functions()) refuse_recursion(function);
    add_names(model_.graph());
    while (has_calls(model_.graph(), true)) expand(*model_.mutable_graph(), true);
    functions_.clear();
    model_.clear_functions();
    while (has_calls(model_.graph(), false)) {
      infer_types();
      expand(*model_.mutable_graph(), false);
    }
    return std::move(opsets_);
  }

 private:
  int64_t opset_of(const onnx::NodeProto& node) const {
    const auto found = opsets_.find(first_output(node));
    return found != opsets_.end() ? found->second : opset_;
  }

  const onnx::FunctionProto* own_function(const onnx::NodeProto& node) const {
    const auto found = functions_.find({node.domain(), node.op_type()});
    return found != functions_.end() ? found->second : nullptr;
  }

  // An operator of ONNX that has a body and no row of ours.
  const onnx::OpSchema* schema_function(const onnx::NodeProto& node) const {
    const int64_t opset = opset_of(node);
    if (!is_default_domain(node.domain()) || has_row(node.op_type(), opset) || is_refused(node) ||
        impossible_.count(first_output(node)) > 0) {
      return nullptr;
    }
    const onnx::OpSchema* schema = schema_of(node, opset);
    const bool has_body =
        schema != nullptr && (schema->HasFunction() || schema->HasContextDependentFunction());
    return has_body ? schema : nullptr;
  }

  bool has_calls(const onnx::GraphProto& graph, bool own) const {
    for (const auto& node : graph.node()) {
      if (own ? own_function(node) != nullptr : schema_function(node) != nullptr) return true;
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g() && has_calls(attribute.g(), own)) return true;
      }
    }
    return false;
  }

  void refuse_recursion(const onnx::FunctionProto& function) {
    const auto [found, is_new] = open_.emplace(&function, true);
    if (is_new) {
      refuse_recursion(function.node());
      found->second = false;
    } else if (found->second) {
      refuse("function '" + function.name() + "' calls itself",
             "write the function without recursion");
    }
  }
  void refuse_recursion(const google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes) {
    for (const auto& node : nodes) {
      if (const auto* called = own_function(node)) refuse_recursion(*called);
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) refuse_recursion(attribute.g().node());
      }
    }
  }

  void add_names(const onnx::GraphProto& graph) {
    for (const auto& node : graph.node()) {
      names_.insert(node.output().begin(), node.output().end());
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) add_names(attribute.g());
      }
    }
  }

  // What names of tensors inside start with: no tensor has any of these names.
  std::string prefix_of(const onnx::NodeProto& call, const onnx::FunctionProto& function) {
    std::string prefix = first_output(call);
    const auto is_taken = [&] {
      for (const auto& node : function.node()) {
        for (const std::string& name : node.output()) {
          if (names_.count(prefix + "/" + name) > 0) return true;
        }
      }
      return false;
    };
    for (int i = 2; is_taken(); ++i) prefix = first_output(call) + "." + std::to_string(i);
    for (const auto& node : function.node()) {
      for (const std::string& name : node.output()) names_.insert(prefix + "/" + name);
    }
    return prefix;
  }

  // Bodies may depend on the types of what they are given.
  void infer_types() {
    onnx::ModelProto copy = model_;
    infer_onnx_types(copy);
    types_.clear();
    add_types(copy.graph());
  }

  void add_types(const onnx::GraphProto& graph) {
    read_types(graph, types_);
    for (const auto& node : graph.node()) {
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) add_types(attribute.g());
      }
    }
  }

  void expand(onnx::GraphProto& graph, bool own) {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    nodes.Swap(graph.mutable_node());
    for (onnx::NodeProto& node : nodes) {
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_g()) expand(*attribute.mutable_g(), own);
      }
      if (const onnx::FunctionProto* function = own_function(node)) {
        add_body(graph, node, *function, nullptr);
      } else if (const onnx::OpSchema* schema = own ? nullptr : schema_function(node)) {
        const auto body = body_of(node, *schema);
        if (body) {
          add_body(graph, node, *body, schema);
        } else {
          impossible_.insert(first_output(node));
          graph.add_node()->Swap(&node);
        }
      } else {
        graph.add_node()->Swap(&node);
      }
    }
  }

  std::optional<onnx::FunctionProto> body_of(const onnx::NodeProto& node,
                                             const onnx::OpSchema& schema) const {
    if (!schema.HasContextDependentFunction()) return *schema.GetFunction();
    std::vector<onnx::TypeProto> types;
    for (const std::string& input : node.input()) {
      const auto found = types_.find(input);
      types.push_back(found != types_.end() ? found->second : onnx::TypeProto());
    }
    onnx::FunctionProto body;
    try {
      const onnx::FunctionBodyBuildContextImpl context(node, types);
      if (schema.BuildContextDependentFunction(context, body)) return body;
    } catch (const std::exception&) {
      // As when it says no.
    }
    return {};
  }

  void add_body(onnx::GraphProto& graph, const onnx::NodeProto& call,
                const onnx::FunctionProto& function, const onnx::OpSchema* schema) {
    Expansion expansion(call, function, prefix_of(call, function));
    if (schema != nullptr) {
      for (const auto& [name, attribute] : schema->attributes()) {
        expansion.set_default(attribute.default_value);
      }
    }
    int64_t opset = opset_of(call);
    for (const auto& import : function.opset_import()) {
      if (is_default_domain(import.domain())) opset = import.version();
    }
    count_ += static_cast<size_t>(function.node_size());
    if (count_ > kMostNodes) {
      refuse("its functions make more than " + std::to_string(kMostNodes) + " nodes",
             "export the model without functions that call each other");
    }
    for (const auto& inner : function.node()) {
      onnx::NodeProto* node = graph.add_node();
      *node = expansion.node(inner);
      if (opset != opset_) opsets_[first_output(*node)] = opset;
    }
  }

  onnx::ModelProto& model_;
  const int64_t opset_;
  std::map<std::pair<std::string, std::string>, const onnx::FunctionProto*> functions_;
  std::map<std::string, int64_t> opsets_;
  std::map<const onnx::FunctionProto*, bool> open_;  // being looked at, by itself called again
  size_t count_ = 0;                                 // of nodes that bodies added
  Types types_;
  std::set<std::string> names_;       // of tensors
  std::set<std::string> impossible_;  // by output: without the types that their bodies need
};

}  // namespace

std::map<std::string, int64_t> expand_functions(onnx::ModelProto& model, int64_t opset) {
  return Expander(model, opset).run();
}

}  // namespace medulla::tools
