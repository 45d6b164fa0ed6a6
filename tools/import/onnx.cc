// SPDX-License-Identifier: Apache-2.0
#include "tools/import/onnx.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <unordered_map>

#include "tools/import/boundary.h"
#include "tools/import/extents.h"
#include "tools/import/onnx_function.h"
#include "tools/import/onnx_importer.h"
#include "tools/import/onnx_ops.h"
#include "tools/import/onnx_refusals.h"
#include "tools/import/onnx_rules.h"
#include "tools/import/onnx_uint8.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {

void OnnxImporter::read_types(const onnx::GraphProto& graph) {
  for (const auto* list : {&graph.value_info(), &graph.output()}) {
    for (const auto& value : *list) {
      if (value.type().has_tensor_type()) declared_[value.name()] = value.type().tensor_type();
    }
  }
}

void OnnxImporter::run(const onnx::ModelProto& proto, int64_t opset) {
  opset_ = opset;
  const onnx::GraphProto& graph = proto.graph();
  source_ = &graph;
  read_types(graph);
  graph_.name = graph.name();
  report_.refusals = find_twins(graph, opset);
  if (graph.sparse_initializer_size() > 0) {
    report_.refusals.push_back(
        {"", "", "", opset_, "sparse initializers are not taken", "store them dense"});
  }
  note_reads(graph);
  add_constants(graph);
  fix_inputs(graph);
  choose_extents(graph);
  add_inputs(graph);
  for (const auto& node : graph.node()) {
    ++report_.nodes_before[node.op_type()];
    add_node(node);
  }
  if (!report_.refusals.empty() && !passed_over_.empty()) {
    report_.notes.push_back("nodes behind refused ones, whose shapes are not known: " +
                            std::to_string(passed_over_.size()) +
                            "; their operators, opsets and attributes' names and types were "
                            "checked, no more: convert again once those are mended");
  }
  if (!report_.refusals.empty()) return;
  add_outputs(graph);
  shift_uint8(graph_);
  graph_.compact();
  make_names_unique(graph_);
  for (size_t o = 0; o < graph_.outputs.size(); ++o) {
    const std::string& name = graph.output(static_cast<int>(o)).name();
    const std::string& given = graph_.tensors[static_cast<size_t>(graph_.outputs[o])].name;
    if (name == given) continue;
    report_.notes.push_back("output '" + name + "' is called '" + given +
                            "', for an input is called as it is");
  }
}

void OnnxImporter::add_constants(const onnx::GraphProto& graph) {
  const std::string folder = std::filesystem::path(options_.input).parent_path().string();
  for (const auto& constant : graph.initializer()) {
    try {
      const int32_t tensor = add_onnx_constant(build_, constant, folder);
      tensors_[constant.name()] = tensor;
      if (has_nan(build_.tensor(tensor))) {
        report_.notes.push_back("initializer '" + constant.name() + "' holds NaN");
      }
    } catch (const Refused& why) {
      report_.refusals.push_back(
          {constant.name(), "initializer", "", opset_, why.reason, why.rewrite});
      stand_in(constant.name());
    }
  }
}

void OnnxImporter::refuse_node(const onnx::NodeProto& proto, const Refused& why) {
  const std::string domain = is_default_domain(proto.domain()) ? "" : proto.domain() + ".";
  Refusal refusal{place_ + name_of(proto),
                  domain + proto.op_type(),
                  why.attribute,
                  opset_,
                  why.reason,
                  why.rewrite,
                  fixable(why.parameter)};
  if (!refusal.fixable.empty()) {
    std::string options;
    for (const std::string& name : refusal.fixable) options += " --fix " + name + "=FILE.npy";
    refusal.rewrite = "give " +
                      (refusal.fixable.size() > 1 ? std::string("the values") : "its value") +
                      " with" + options + ", or " + why.rewrite;
  }
  report_.refusals.push_back(std::move(refusal));
  stand_in(proto);
}

// So that the nodes behind a refused one are looked at too: outputs of the type that ONNX infers.
void OnnxImporter::stand_in(const onnx::NodeProto& proto) {
  for (const std::string& name : proto.output()) {
    if (!name.empty()) stand_in(name);
  }
}

void OnnxImporter::stand_in(const std::string& name) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape_known = false;
  const onnx::TypeProto* found = inferred_.find(name);
  if (found != nullptr && found->tensor_type().has_shape()) {
    const auto& type = found->tensor_type();
    tensor.shape_known = type.elem_type() == onnx::TensorProto::FLOAT;
    tensor.dtype = MDL_FLOAT32;
    for (const auto& dim : type.shape().dim()) {
      const auto extent = extents_.find(dim.dim_param());
      const int64_t value = extent != extents_.end() ? extent->second : dim.dim_value();
      tensor.shape_known &= value > 0;
      tensor.dims.push_back(value);
    }
  }
  tensors_[name] = build_.add_tensor(std::move(tensor));
}

bool OnnxImporter::depends_on_refused(const onnx::NodeProto& proto) const {
  for (const std::string& name : proto.input()) {
    if (name.empty()) continue;
    if (!graph_.tensors[static_cast<size_t>(tensors_.at(name))].shape_known) return true;
  }
  return false;
}

void OnnxImporter::define(const onnx::NodeProto& proto, int i, int32_t tensor, size_t first_new) {
  if (tensor < 0) refuse("input 0 is missing");
  const std::string& name = proto.output(i);
  const auto declared = declared_.find(name);
  if (declared != declared_.end()) {
    const std::string why = contradiction(declared->second, build_.tensor(tensor));
    if (!why.empty()) {
      report_.refusals.push_back({place_ + name_of(proto), proto.op_type(), "", opset_,
                                  "output '" + name + "' " + why, kMendDeclared});
    }
  }
  tensors_[name] = tensor;
  if (static_cast<size_t>(tensor) >= first_new) {
    graph_.tensors[static_cast<size_t>(tensor)].name = name;
  }
}

// Whether a conversion put the node before an operator on images.
static bool turns_channels(const Node& node) {
  const Dims perm = node.get<Dims>("perm", {});
  return node.op == "Transpose" && perm.size() > 2 && perm == to_channels_last_perm(perm.size());
}

// As the row says; numbers of half the size as float32 where the operator computes in that alone.
std::vector<int32_t> OnnxImporter::convert_in_single(OnnxNode& node, const OnnxRow& row) {
  mdl_dtype half = MDL_DTYPE_NONE;
  std::vector<int32_t> inputs = node.inputs;
  for (const int32_t t : inputs) {
    if (t >= 0 && is_half(build_.tensor(t).dtype)) half = build_.tensor(t).dtype;
  }
  try {
    return row.convert(node);
  } catch (const BuildError&) {
    if (half == MDL_DTYPE_NONE || !bodies_of(node.proto).empty()) throw;
  }
  for (int32_t& t : inputs) t = t < 0 ? t : widened(build_, t);
  OnnxNode wide{node.proto, node.opset, inputs, build_, shapes_, read_, this};
  std::vector<int32_t> outputs = row.convert(wide);
  for (int32_t& t : outputs) {
    if (t >= 0 && build_.tensor(t).dtype == MDL_FLOAT32) t = narrowed(build_, t, half);
  }
  report_.notes.push_back("'" + name_of(node.proto) + "' (" + node.op() +
                          ") computes in float32, and rounds to " + mdl_dtype_name(half));
  return outputs;
}

const OnnxRow* OnnxImporter::find_row(const onnx::NodeProto& proto) {
  for (const OnnxRow& row : onnx_table()) {
    if (is_default_domain(proto.domain()) && proto.op_type() == row.op) return &row;
  }
  const OnnxRefusal& why = refusal_of(proto);
  refuse_node(proto, {"", why.reason, why.rewrite});
  return nullptr;
}

const OnnxRow* OnnxImporter::find_checked_row(const onnx::NodeProto& proto) {
  const OnnxRow* row = find_row(proto);
  if (row == nullptr) return nullptr;
  try {
    const int64_t opset = rules_.opset_of(proto);
    if (opset < row->first_opset || opset > row->last_opset) {
      refuse("is taken from opset " + std::to_string(row->first_opset) + " on",
             "export with a newer opset");
    }
    // The checker would look into bodies too, and stop at the first thing that is wrong there.
    if (bodies_of(proto).empty()) {
      rules_.check(proto);
    } else {
      check_signature(proto, opset);
    }
  } catch (const Refused& why) {
    refuse_node(proto, why);
    return nullptr;
  }
  return row;
}

void OnnxImporter::convert_node(const onnx::NodeProto& proto) {
  const OnnxRow* row = find_checked_row(proto);
  if (row == nullptr) return;
  for (const std::string& name : proto.input()) {
    if (!name.empty() && find(name) < 0) {
      return refuse_node(proto, rules_.why_unmade(*source_, proto, name));
    }
  }
  if (depends_on_refused(proto)) return pass_over(proto);

  std::vector<int32_t> inputs;
  for (const std::string& name : proto.input()) {
    inputs.push_back(name.empty() ? -1 : tensors_.at(name));
  }
  build_.set_name(name_of(proto));
  const size_t first_new = graph_.tensors.size(), nodes = graph_.nodes.size();
  const bool of_shapes =
      std::any_of(inputs.begin(), inputs.end(), [&](int32_t t) { return shapes_.count(t) > 0; });
  const int64_t opset = rules_.opset_of(proto);
  const OnnxNode given{proto, opset, std::move(inputs), build_, shapes_, read_, this};
  try {
    OnnxNode node{proto, opset, inputs_as_read(given), build_, shapes_, read_, this};
    const std::vector<int32_t> outputs =
        of_shapes ? convert_shape_values(node, row->convert) : convert_in_single(node, *row);
    for (int i = 0; i < proto.output_size(); ++i) {
      const auto at = static_cast<size_t>(i);
      if (node.has_output(i)) define(proto, i, outputs.at(at), first_new);
    }
  } catch (const BodyRefused&) {
    stand_in(proto);
  } catch (const Refused& why) {
    refuse_node(proto, why);
  } catch (const std::out_of_range&) {
    std::string counts;
    for (const int32_t t : given.inputs) {
      if (t < 0 || !build_.tensor(t).data) continue;
      counts += (counts.empty() ? ": '" : ", '") + build_.tensor(t).name + "' has " +
                std::to_string(build_.tensor(t).elements());
    }
    refuse_node(proto, {"", "a parameter has fewer elements than the operator needs" + counts,
                        "export the model anew"});
  } catch (const std::exception& why) {
    const bool turned = std::any_of(graph_.nodes.begin() + static_cast<ptrdiff_t>(nodes),
                                    graph_.nodes.end(), turns_channels);
    const char* layout =
        turned ? "; these shapes are channels-last, [N, spatial..., C], the file's are not" : "";
    refuse_node(proto, {"", why.what() + std::string(layout), ""});
  }
}

void OnnxImporter::add_outputs(const onnx::GraphProto& graph) {
  for (const auto& output : graph.output()) {
    const auto found = tensors_.find(output.name());
    if (found == tensors_.end()) {
      report_.refusals.push_back({output.name(), "output", "", opset_, "nothing makes it", ""});
      continue;
    }
    build_.set_name(output.name());
    int32_t tensor = found->second;
    try {
      const auto extents = shapes_.find(tensor);
      if (extents != shapes_.end()) {
        tensor = values_of_extents(build_, extents->second, build_.dims(tensor),
                                   build_.tensor(tensor).dtype);
      }
    } catch (const Refused& why) {
      report_.refusals.push_back({output.name(), "output", "", opset_, why.reason, why.rewrite});
      continue;
    }
    add_output(build_, tensor, output.name());
  }
}

void import_onnx(const ConvertOptions& options, Model& model, ConvertReport& report) {
  const auto refuse_file = [&](std::string reason, std::string rewrite = "") {
    report.refusals.push_back(
        {options.input, "file", "", 0, std::move(reason), std::move(rewrite)});
  };
  onnx::ModelProto proto;
  std::ifstream file(options.input, std::ios::binary);
  if (!proto.ParseFromIstream(&file) || !proto.has_graph()) {
    // What no ending or first byte says to be of another format is read as ONNX.
    const bool is_called_so = options.input.ends_with(".onnx");
    return refuse_file(is_called_so ? "is no ONNX model, or is cut off"
                                    : "is no model of ONNX or TensorFlow Lite, or is cut off",
                       "give a .onnx or .tflite file that the exporter wrote");
  }
  int64_t opset = 0;
  for (const auto& import : proto.opset_import()) {
    if (is_default_domain(import.domain())) opset = import.version();
  }
  if (opset < 1) return refuse_file("does not say which version of ONNX's operators it uses");
  if (opset > kNewestOpset) {
    return refuse_file("has opset " + std::to_string(opset) + ", and " +
                           std::to_string(kNewestOpset) + " is the newest that is known",
                       "export with opset " + std::to_string(kNewestOpset) + " or older");
  }
  const int64_t taken_as = std::max(opset, kOldestOpset);
  std::map<std::string, int64_t> opsets;
  try {
    opsets = expand_functions(proto, taken_as);
  } catch (const Refused& why) {
    return refuse_file(why.reason, why.rewrite);
  }
  const OnnxRules rules(proto, taken_as, std::move(opsets));
  if (!rules.knows_version()) {
    report.notes.push_back("the model's version (opset " + std::to_string(opset) + ", IR " +
                           std::to_string(proto.ir_version()) +
                           ") is newer than the installed ONNX library, which did not check it");
  }
  model.name = options.name.empty() ? proto.graph().name() : options.name;
  model.producer = proto.producer_name();
  for (const auto& entry : proto.metadata_props()) model.metadata[entry.key()] = entry.value();
  InferredTypes inferred(proto);
  Bodies bodies;
  OnnxImporter(options, rules, inferred, model.graphs.emplace_back(), bodies, report)
      .run(proto, opset);
  for (const auto& body : bodies) model.graphs.push_back(std::move(*body));
}

}  // namespace medulla::tools
