// SPDX-License-Identifier: Apache-2.0
// Graphs inside graphs. A body becomes a graph of its own, whose last inputs are what it reads of
// the graphs around it; constants are taken over.
#include "tools/import/boundary.h"
#include "tools/import/onnx_importer.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {

std::vector<const onnx::GraphProto*> bodies_of(const onnx::NodeProto& node) {
  std::vector<const onnx::GraphProto*> bodies;
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) bodies.push_back(&attribute.g());
  }
  return bodies;
}

std::set<std::string> loop_names(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& node : graph.node()) {
    for (const auto* body : bodies_of(node)) names.merge(loop_names(*body));
    if (node.op_type() != "Loop") continue;
    names.insert(name_of(node));
    if (node.input_size() > 0 && !node.input(0).empty()) names.insert(node.input(0));
  }
  return names;
}

void OnnxImporter::note_reads(const onnx::GraphProto& graph) {
  for (const auto& node : graph.node()) {
    read_.insert(node.input().begin(), node.input().end());
    for (const auto* body : bodies_of(node)) note_reads(*body);
  }
  for (const auto& output : graph.output()) read_.insert(output.name());
  read_.erase("");
}

int64_t OnnxImporter::bound_of(const onnx::NodeProto& loop) const {
  std::vector<std::string> names = {name_of(loop)};
  if (loop.input_size() > 0 && !loop.input(0).empty()) names.insert(names.begin(), loop.input(0));
  return tools::bound_of(options_, names);
}

// The tensor of that name, from the graphs around this one if need be; -1: there is none.
int32_t OnnxImporter::find(const std::string& name) {
  const auto known = tensors_.find(name);
  if (known != tensors_.end()) return known->second;
  const int32_t outside = outer_ != nullptr ? outer_->find(name) : -1;
  if (outside < 0) return -1;
  const Tensor& from = outer_->graph_.tensors[static_cast<size_t>(outside)];
  const int32_t id = build_.add_tensor(from);
  tensors_[name] = id;
  const auto extents = outer_->shapes_.find(outside);
  if (extents != outer_->shapes_.end()) {
    shapes_[id] = extents->second;
  } else if (!from.data && from.shape_known) {
    graph_.inputs.push_back(id);
    captures_.push_back(outside);
  }
  return id;
}

ImportedBody OnnxImporter::import_body(const onnx::GraphProto& proto, const std::string& name,
                                       const std::vector<Tensor>& inputs) {
  const auto graph = static_cast<uint32_t>(bodies_.size()) + 1;
  bodies_.push_back(std::make_unique<Graph>());
  const size_t refusals = report_.refusals.size();
  OnnxImporter inside(options_, rules_, inferred_, *bodies_.back(), bodies_, report_);
  inside.outer_ = this;
  inside.opset_ = opset_;
  inside.extents_ = extents_;
  inside.graph_.name = name;
  inside.note_reads(proto);
  const size_t unnamed = inputs.size() - static_cast<size_t>(proto.input_size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor tensor = inputs[i];
    if (i >= unnamed) tensor.name = proto.input(static_cast<int>(i - unnamed)).name();
    const int32_t id = inside.build_.add_tensor(tensor);
    inside.graph_.inputs.push_back(id);
    if (i >= unnamed) inside.tensors_[tensor.name] = id;
  }
  const std::vector<int32_t> results = inside.import_inline(proto);
  if (report_.refusals.size() > refusals) throw BodyRefused{};
  for (size_t o = 0; o < results.size(); ++o) {
    const auto& output = proto.output(static_cast<int>(o));
    inside.build_.set_name(output.name());
    const bool as_uint8 = output.type().tensor_type().elem_type() == onnx::TensorProto::UINT8;
    const int32_t made = as_uint8 ? uint8_of_shifted(inside.build_, results[o]) : results[o];
    add_output(inside.build_, made, output.name());
  }
  inside.graph_.compact();
  make_names_unique(inside.graph_);
  return {graph, &inside.graph_, inside.captures_};
}

std::vector<int32_t> OnnxImporter::import_inline(const onnx::GraphProto& proto) {
  const size_t refusals = report_.refusals.size();
  const std::string name = build_.name();
  note_reads(proto);
  add_constants(proto);
  for (const auto& node : proto.node()) {
    ++report_.nodes_before[node.op_type()];
    add_node(node);
  }
  if (report_.refusals.size() > refusals) throw BodyRefused{};
  build_.set_name(name);
  std::vector<int32_t> made;
  for (const auto& output : proto.output()) {
    made.push_back(find(output.name()));
    if (made.back() < 0) refuse("its graph's output '" + output.name() + "' is made by nothing");
    if (!build_.tensor(made.back()).shape_known) throw BodyRefused{};
  }
  return made;
}

}  // namespace medulla::tools
