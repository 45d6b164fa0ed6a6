// SPDX-License-Identifier: Apache-2.0
// Graphs inside graphs. A body becomes a graph of its own, whose last inputs are what it reads of
// the graphs around it; constants are taken over.
#include <exception>
#include <utility>

#include "tools/import/boundary.h"
#include "tools/import/onnx_importer.h"
#include "tools/import/onnx_refusals.h"
#include "tools/import/onnx_uint8.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {

std::vector<const onnx::GraphProto*> bodies_of(const onnx::NodeProto& node) {
  std::vector<const onnx::GraphProto*> bodies;
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) bodies.push_back(&attribute.g());
  }
  return bodies;
}

Dims dims_of_one(const onnx::ValueInfoProto& value) {
  return value.type().tensor_type().shape().dim_size() == 1 ? Dims{1} : Dims{};
}

namespace {

size_t count_nodes(const onnx::GraphProto& graph) {
  size_t count = static_cast<size_t>(graph.node_size());
  for (const auto& node : graph.node()) {
    for (const auto* body : bodies_of(node)) count += count_nodes(*body);
  }
  return count;
}

// What the graph calls the tensors that it gets, has and makes.
std::set<std::string> own_names(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& constant : graph.initializer()) names.insert(constant.name());
  for (const auto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  return names;
}

}  // namespace

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

void OnnxImporter::pass_over(const onnx::NodeProto& proto) {
  OnnxImporter* main = this;
  while (main->outer_ != nullptr) main = main->outer_;
  main->passed_over_.insert(place_ + name_of(proto));
  for (const auto* body : bodies_of(proto)) {
    const Room room(*this, *body);
    const std::string outside = std::exchange(place_, place_ + name_of(proto) + "/");
    for (const auto& node : body->node()) {
      if ((is_old(node) ? find_row(node) : find_checked_row(node)) != nullptr) pass_over(node);
    }
    place_ = outside;
  }
  stand_in(proto);
}

int64_t OnnxImporter::bound_of(const onnx::NodeProto& loop) {
  std::vector<std::string> names = {name_of(loop)};
  const bool counts = loop.input_size() > 0 && !loop.input(0).empty();
  if (counts) names.insert(names.begin(), loop.input(0));
  try {
    return tools::bound_of(options_, names);
  } catch (Refused& why) {
    if (!counts) throw;
    why.parameter = find(loop.input(0));
    const auto extents = shapes_.find(why.parameter);
    if (extents != shapes_.end() && extents->second.size() == 1) return extents->second[0].value;
    const Tensor& count = build_.tensor(why.parameter);
    if (count.data && count.dtype == MDL_INT64) {
      why.reason = "its trip count " + std::to_string(values_of<int64_t>(count).at(0)) +
                   " is no bound that memory can be planned for";
    }
    throw;
  }
}

// Collects the inputs of the main graph that the tensors are computed from; false if it is from
// what a body makes on the way too.
bool OnnxImporter::add_sources(const std::vector<int32_t>& tensors,
                               std::vector<const Tensor*>& sources) const {
  const size_t own = graph_.inputs.size() - captures_.size();
  for (const int32_t source : sources_of(graph_, tensors)) {
    const auto at = static_cast<size_t>(
        std::find(graph_.inputs.begin(), graph_.inputs.end(), source) - graph_.inputs.begin());
    if (outer_ == nullptr) {
      sources.push_back(&graph_.tensors[static_cast<size_t>(source)]);
    } else if (at >= own) {
      if (!outer_->add_sources({captures_[at - own]}, sources)) return false;
    } else if (at > 0 || counted_by_.empty() || !outer_->add_sources(counted_by_, sources)) {
      return false;
    }
  }
  return true;
}

// The graph's inputs that would have to be known for the parameter to be; none where that would not
// do, or where they do not look like parameters: single numbers, or integers in one dimension.
std::vector<std::string> OnnxImporter::fixable(int32_t parameter) const {
  std::vector<const Tensor*> sources;
  if (parameter < 0 || !add_sources({parameter}, sources)) return {};
  std::vector<std::string> names;
  for (const Tensor* source : sources) {
    const bool integers = source->dtype == MDL_INT64 || source->dtype == MDL_INT32;
    const bool is_parameter = source == &build_.tensor(parameter) || source->dims.empty() ||
                              (integers && source->dims.size() == 1);
    if (!is_parameter) return {};
    if (std::count(names.begin(), names.end(), source->name) == 0) names.push_back(source->name);
  }
  return names;
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

// Refuses what is given for input i of the body where the body declares something else.
void OnnxImporter::require_as_declared(const onnx::GraphProto& body, int i, int32_t given) const {
  const auto& input = body.input(i);
  const std::string why =
      contradiction(input.type().tensor_type(), build_.tensor(given), "is given");
  if (!why.empty()) refuse("input '" + input.name() + "' of its body " + why, kMendDeclared);
}

ImportedBody OnnxImporter::import_body(const onnx::GraphProto& proto, const std::string& name,
                                       const std::vector<Tensor>& inputs,
                                       const std::vector<int32_t>& counted_by) {
  const auto graph = static_cast<uint32_t>(bodies_.size()) + 1;
  bodies_.push_back(std::make_unique<Graph>());
  OnnxImporter inside(options_, rules_, inferred_, *bodies_.back(), bodies_, report_);
  inside.outer_ = this;
  inside.opset_ = opset_;
  inside.extents_ = extents_;
  inside.graph_.name = name;
  std::copy_if(counted_by.begin(), counted_by.end(), std::back_inserter(inside.counted_by_),
               [](int32_t t) { return t >= 0; });
  const size_t unnamed = inputs.size() - static_cast<size_t>(proto.input_size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor tensor = inputs[i];
    if (i >= unnamed) tensor.name = proto.input(static_cast<int>(i - unnamed)).name();
    const int32_t id = inside.build_.add_tensor(tensor);
    inside.graph_.inputs.push_back(id);
    if (i < unnamed) continue;
    inside.tensors_[tensor.name] = id;
    inside.require_as_declared(proto, static_cast<int>(i - unnamed), id);
  }
  const size_t refusals = report_.refusals.size();
  inside.read_types(proto);
  inside.note_reads(proto);
  inside.add_constants(proto);
  const std::vector<int32_t> results = inside.import_nodes(proto, place_ + name + "/", refusals);
  for (size_t o = 0; o < results.size(); ++o) {
    const auto& output = proto.output(static_cast<int>(o));
    inside.build_.set_name(output.name());
    add_output(inside.build_, plain_integers(inside.build_, results[o]), output.name());
  }
  shift_uint8(inside.graph_);
  inside.graph_.compact();
  make_names_unique(inside.graph_);
  return {graph, &inside.graph_, inside.captures_};
}

std::vector<int32_t> OnnxImporter::import_inline(const onnx::GraphProto& proto) {
  const size_t refusals = report_.refusals.size();
  const Room room(*this, proto);
  note_reads(proto);
  add_constants(proto);
  return import_nodes(proto, place_ + build_.name() + "/", refusals);
}

// Makes room for the names of a graph that becomes part of this one: they may stand for something
// else here.
OnnxImporter::Room::Room(OnnxImporter& importer, const onnx::GraphProto& proto)
    : importer_(importer),
      names_(own_names(proto)),
      declared_outside_(std::exchange(importer.declared_, {})) {
  importer_.read_types(proto);
  for (const std::string& name : names_) {
    auto known = importer_.tensors_.extract(name);
    if (known) outside_.insert(std::move(known));
  }
}

OnnxImporter::Room::~Room() {
  for (const std::string& name : names_) importer_.tensors_.erase(name);
  importer_.tensors_.merge(outside_);
  importer_.declared_ = std::move(declared_outside_);
}

// Returns what they make. A body of which more is refused than `refusals` is refused as a whole.
std::vector<int32_t> OnnxImporter::import_nodes(const onnx::GraphProto& proto,
                                                const std::string& place, size_t refusals) {
  const std::string name = build_.name();
  const std::string outside = std::exchange(place_, place);
  const auto* source = std::exchange(source_, &proto);
  for (const auto& node : proto.node()) {
    ++report_.nodes_before[node.op_type()];
    add_node(node);
  }
  place_ = outside;
  source_ = source;
  if (report_.refusals.size() > refusals) throw BodyRefused{};
  build_.set_name(name);
  std::vector<int32_t> made;
  for (const auto& output : proto.output()) {
    made.push_back(find(output.name()));
    if (made.back() < 0) refuse("its graph's output '" + output.name() + "' is made by nothing");
    const Tensor& tensor = build_.tensor(made.back());
    if (!tensor.shape_known) throw BodyRefused{};
    // What a node makes has been compared; here is what the body only hands on.
    const std::string why = contradiction(output.type().tensor_type(), tensor, "is");
    if (!why.empty()) refuse("its graph's output '" + output.name() + "' " + why, kMendDeclared);
  }
  return made;
}

std::vector<int32_t> OnnxImporter::import_either(const Way& first, const Way& second) {
  const ConvertReport before = report_;
  const size_t bodies = bodies_.size();
  const std::string name = build_.name();
  std::exception_ptr why;
  try {
    return first();
  } catch (const Refused&) {
    why = std::current_exception();
  } catch (const BodyRefused&) {
    why = std::current_exception();
  }
  const ConvertReport refused = std::exchange(report_, before);
  bodies_.resize(bodies);
  build_.set_name(name);
  try {
    return second();
  } catch (const Refused&) {
  } catch (const BodyRefused&) {
  }
  report_ = refused;
  std::rethrow_exception(why);
}

std::vector<int32_t> OnnxImporter::write_out(const onnx::GraphProto& proto, int64_t trips,
                                             std::vector<int32_t> carried) {
  constexpr size_t kMostNodes = 1 << 14;
  OnnxImporter* main = this;
  while (main->outer_ != nullptr) main = main->outer_;
  if (static_cast<size_t>(proto.output_size()) < 1 + carried.size()) refuse("makes too little");
  const std::string name = build_.name();
  const size_t refusals = report_.refusals.size();
  const Room room(*this, proto);
  note_reads(proto);
  add_constants(proto);
  std::vector<std::vector<int32_t>> scans;
  for (int64_t i = 0; i < trips; ++i) {
    main->written_out_ += count_nodes(proto);
    if (main->written_out_ > kMostNodes) refuse("becomes too many nodes when it is written out");
    const std::string place = name + "." + std::to_string(i);
    build_.set_name(place);
    tensors_[proto.input(0).name()] =
        build_.constant(MDL_INT64, dims_of_one(proto.input(0)), std::vector<int64_t>{i});
    tensors_[proto.input(1).name()] =
        build_.constant(MDL_BOOL, dims_of_one(proto.input(1)), std::vector<uint8_t>{1});
    for (size_t c = 0; c < carried.size(); ++c) {
      const auto at = static_cast<int>(2 + c);
      require_as_declared(proto, at, carried[c]);
      tensors_[proto.input(at).name()] = carried[c];
    }
    const std::vector<int32_t> made = import_nodes(proto, place_ + place + "/", refusals);
    const Tensor& condition = build_.tensor(made[0]);
    if (!condition.data) refuse("its condition is computed at run time");
    const bool goes_on = is_true(condition);
    const auto first_scan = made.begin() + 1 + static_cast<ptrdiff_t>(carried.size());
    std::copy(made.begin() + 1, first_scan, carried.begin());
    scans.resize(static_cast<size_t>(made.end() - first_scan));
    for (size_t s = 0; s < scans.size(); ++s) {
      scans[s].push_back(build_.add_like("Unsqueeze", {first_scan[static_cast<ptrdiff_t>(s)]},
                                         {{"axes", Dims{0}}}));
    }
    if (!goes_on) break;
  }
  report_.notes.push_back("Loop '" + name + "' is written out, once for each iteration");
  build_.set_name(name);
  for (std::vector<int32_t>& scan : scans) carried.push_back(build_.concat(std::move(scan), 0));
  return carried;
}

}  // namespace medulla::tools
