// SPDX-License-Identifier: Apache-2.0
#include "tools/import/convert.h"

#include <algorithm>
#include <fstream>

#include "tools/ir/infer.h"
#include "tools/ir/writer.h"
#include "tools/passes/pass.h"

namespace medulla::tools {

// Fills the model; what cannot be taken goes to the report.
using Importer = void(const ConvertOptions& options, Model& model, ConvertReport& report);
#define MDL_IMPORTER(ending) Importer import_##ending;
#include "tools/import/importers.inc"
#undef MDL_IMPORTER

namespace {

struct ImporterRow {
  const char* ending;
  Importer* import;
};

constexpr ImporterRow kImporters[] = {
#define MDL_IMPORTER(ending) {"." #ending, import_##ending},
#include "tools/import/importers.inc"
#undef MDL_IMPORTER
};

void refuse(ConvertReport& report, std::string reason, std::string rewrite = "") {
  report.refusals.push_back({"", "", "", 0, std::move(reason), std::move(rewrite)});
}

int32_t find_by_name(const Graph& graph, const std::vector<int32_t>& ids, const std::string& name) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (graph.tensors[static_cast<size_t>(ids[i])].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

// The pair leaves the graph's inputs and outputs and lives from run to run.
void make_state(Graph& graph, const std::string& input, const std::string& output,
                ConvertReport& report) {
  const int32_t in = find_by_name(graph, graph.inputs, input);
  const int32_t out = find_by_name(graph, graph.outputs, output);
  const std::string option = "--state " + input + "=" + output + ": ";
  if (in < 0) return refuse(report, option + "no input is called '" + input + "'");
  if (out < 0) return refuse(report, option + "no output is called '" + output + "'");
  State state;
  state.tensor = graph.inputs[static_cast<size_t>(in)];
  state.written = graph.outputs[static_cast<size_t>(out)];
  const Tensor& read = graph.tensors[static_cast<size_t>(state.tensor)];
  const Tensor& written = graph.tensors[static_cast<size_t>(state.written)];
  if (read.dtype != written.dtype || read.dims != written.dims) {
    return refuse(report, option + "the two differ in dtype or shape",
                  "pair tensors of one dtype and shape");
  }
  graph.inputs.erase(graph.inputs.begin() + in);
  graph.outputs.erase(graph.outputs.begin() + out);
  graph.states.push_back(state);
}

void read_labels(const std::string& path, Model& model, ConvertReport& report) {
  std::ifstream file(path);
  if (!file) return refuse(report, "labels file " + path + " cannot be opened");
  Labels labels;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.names.push_back(line);
  }
  model.labels.push_back(std::move(labels));
}

// By the file's ending; the first importer when it says nothing.
Importer* find_importer(const std::string& path) {
  for (const ImporterRow& row : kImporters) {
    if (path.ends_with(row.ending)) return row.import;
  }
  return kImporters[0].import;
}

// The format has no tensors without elements.
void refuse_empty(const Graph& graph, ConvertReport& report) {
  for (const Tensor& tensor : graph.tensors) {
    if (std::count(tensor.dims.begin(), tensor.dims.end(), 0) == 0) continue;
    refuse(report, "tensor '" + tensor.name + "' has a dimension of 0, so no elements",
           "leave out what is computed of it");
  }
}

void count_nodes(const Model& model, std::map<std::string, size_t>& counts) {
  for (const Graph& graph : model.graphs) {
    for (const Node& node : graph.nodes) ++counts[node.op];
  }
}

}  // namespace

Model import_and_optimize(const ConvertOptions& options, ConvertReport& report) {
  Model model;
  find_importer(options.input)(options, model, report);
  if (!report.refusals.empty()) return model;
  for (const auto& [input, output] : options.states) {
    make_state(model.main(), input, output, report);
  }
  PassContext context;
  context.input_nhwc = options.input_nhwc;
  run_passes(model, options.no_passes, context);
  report.notes.insert(report.notes.end(), context.notes.begin(), context.notes.end());
  for (const std::string& text : context.refusals) refuse(report, text);

  if (!report.refusals.empty()) return model;
  for (Graph& graph : model.graphs) infer_shapes(graph);
  refuse_empty(model.main(), report);
  for (const auto& [key, value] : options.metadata) model.metadata[key] = value;
  if (!options.labels.empty()) read_labels(options.labels, model, report);
  model.preprocessing = options.preprocessing;
  count_nodes(model, report.nodes_after);
  return model;
}

ConvertReport convert(const ConvertOptions& options) {
  ConvertReport report;
  try {
    const Model model = import_and_optimize(options, report);
    if (report.refusals.empty()) write_model(model, options.output);
  } catch (const std::exception& why) {
    refuse(report, why.what());
  }
  return report;
}

extern "C" MDL_API void medulla_convert(const ConvertOptions* options, ConvertReport* report) {
  *report = convert(*options);
}

}  // namespace medulla::tools
