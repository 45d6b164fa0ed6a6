// SPDX-License-Identifier: Apache-2.0
#include "tools/import/convert.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "src/base/checked.h"
#include "src/model/preamble.h"
#include "src/model/preprocessing.h"
#include "src/model/text.h"
#include "tools/common/new_file.h"
#include "tools/common/printable.h"
#include "tools/common/shape_text.h"
#include "tools/ir/infer.h"
#include "tools/ir/writer.h"
#include "tools/passes/pass.h"

namespace medulla::tools {

// Fills the model; what cannot be taken goes to the report.
using Importer = void(const ConvertOptions& options, Model& model, ConvertReport& report);
#define MDL_IMPORTER(ending, channels) Importer import_##ending;
#include "tools/import/importers.inc"
#undef MDL_IMPORTER

namespace {

enum class Channels { first, last };
struct ImporterRow {
  const char* ending;
  Importer* import;
  Channels channels;
};

constexpr ImporterRow kImporters[] = {
#define MDL_IMPORTER(ending, channels) {"." #ending, import_##ending, Channels::channels},
#include "tools/import/importers.inc"
#undef MDL_IMPORTER
};

void refuse(ConvertReport& report, std::string reason, std::string rewrite = "") {
  report.refusals.push_back({"", "", "", 0, std::move(reason), std::move(rewrite)});
}

std::string type_text(const Tensor& tensor) {
  return std::string(mdl_dtype_name(tensor.dtype)) + " " + shape_text(tensor.dims);
}

int32_t find_by_name(const Graph& graph, const std::vector<int32_t>& ids, const std::string& name) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (graph.tensors[static_cast<size_t>(ids[i])].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

std::string there_is(const Graph& graph, const std::vector<int32_t>& ids) {
  std::string names;
  for (const int32_t id : ids) names += " '" + graph.tensors[static_cast<size_t>(id)].name + "'";
  return ids.empty() ? "there is none" : "there are:" + names;
}

// A state that the source hands on whole, with the new piece behind the old ones, keeps the pieces:
// the tensor that is new in each run, or -1.
int32_t new_piece(const Graph& graph, const State& state, int32_t* axis) {
  const int32_t maker = graph.producer(state.written);
  if (maker < 0) return -1;
  const Node& node = graph.nodes[static_cast<size_t>(maker)];
  if (node.op != "Concat" || node.inputs.size() != 2 || node.inputs[0] != state.tensor) return -1;
  const Tensor& tensor = graph.tensors[static_cast<size_t>(state.tensor)];
  const auto rank = static_cast<int64_t>(tensor.dims.size());
  const auto along = node.get<int64_t>("axis", 0);
  *axis = static_cast<int32_t>(along < 0 ? along + rank : along);
  const auto at = static_cast<size_t>(*axis);
  if (at >= tensor.symbols.size() || tensor.symbols[at].empty()) return -1;
  return node.inputs[1];
}

// The pair leaves the graph's inputs and outputs and lives from run to run.
void make_state(Graph& graph, const std::string& input, const std::string& output,
                const std::map<std::string, Array>& initial, ConvertReport& report) {
  const int32_t in = find_by_name(graph, graph.inputs, input);
  const int32_t out = find_by_name(graph, graph.outputs, output);
  const std::string option = "--state " + input + "=" + output + ": ";
  for (const State& other : graph.states) {
    const std::string& name = graph.tensors[static_cast<size_t>(other.tensor)].name;
    if (name == input) return refuse(report, option + "'" + input + "' is a state already");
    const int32_t made = other.written;
    if (out < 0 && graph.tensors[static_cast<size_t>(made)].name == output) {
      return refuse(report, option + "'" + output + "' is what the state '" + name + "' becomes");
    }
  }
  if (in < 0) {
    return refuse(report, option + "no input is called '" + input + "'",
                  there_is(graph, graph.inputs));
  }
  if (out < 0) {
    return refuse(report, option + "no output is called '" + output + "'",
                  there_is(graph, graph.outputs));
  }
  State state;
  state.tensor = graph.inputs[static_cast<size_t>(in)];
  state.written = graph.outputs[static_cast<size_t>(out)];
  const Tensor& read = graph.tensors[static_cast<size_t>(state.tensor)];
  const Tensor& written = graph.tensors[static_cast<size_t>(state.written)];
  const auto first = initial.find(input);
  if (const int32_t piece = new_piece(graph, state, &state.axis); piece >= 0) {
    state.kind = MDL_STATE_APPEND;
    state.written = piece;
    if (first != initial.end()) {
      return refuse(report, option + "a state that grows begins empty, it takes no file");
    }
  } else if (read.dtype != written.dtype || read.dims != written.dims) {
    return refuse(report,
                  option + "'" + input + "' is " + type_text(read) + ", '" + output + "' is " +
                      type_text(written),
                  "pair tensors of one dtype and shape, or an output that is the input with more "
                  "behind it, along a dimension that --max names");
  }
  if (first != initial.end()) {
    if (first->second.dtype != read.dtype || first->second.shape != read.dims) {
      return refuse(report, option + "its file should be " + type_text(read));
    }
    state.initial = std::make_shared<const Bytes>(first->second.data);
  }
  graph.inputs.erase(graph.inputs.begin() + in);
  graph.outputs.erase(graph.outputs.begin() + out);
  graph.states.push_back(state);
}

// [OUTPUT=]FILE; the output is the first where none is named.
void read_labels(const std::string& option, Model& model, ConvertReport& report) {
  std::string path = option;
  Labels labels;
  const size_t equals = option.find('=');
  if (equals != std::string::npos && !std::filesystem::exists(option)) {
    path = option.substr(equals + 1);
    const std::string name = option.substr(0, equals);
    const int32_t output = find_by_name(model.main(), model.main().outputs, name);
    if (output < 0) {
      return refuse(report, "--labels " + option + ": no output is called '" + name + "'",
                    there_is(model.main(), model.main().outputs));
    }
    labels.output = static_cast<uint32_t>(output);
  }
  std::string text;
  try {
    const Bytes bytes = read_bytes(path);
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } catch (const std::exception& why) {
    return refuse(report, std::string("labels file ") + why.what());
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.names.push_back(line);
    if (!is_text(line.data(), line.size())) {
      return refuse(report,
                    "labels file " + path + ", line " + std::to_string(labels.names.size()) +
                        ": is no text, should be UTF-8 without zeros",
                    "write the file anew with that encoding");
    }
  }
  // Integers may be the classes themselves, of which a tensor does not tell the number.
  const Graph& graph = model.main();
  const Tensor& of = graph.tensors[static_cast<size_t>(graph.outputs.at(labels.output))];
  const auto count = static_cast<int64_t>(labels.names.size());
  const bool numbers = of.dtype == MDL_FLOAT32 || of.quantization.has_value();
  if (numbers && of.elements() != labels.names.size() &&
      std::find(of.dims.begin(), of.dims.end(), count) == of.dims.end()) {
    return refuse(report,
                  "labels file " + path + " has " + std::to_string(count) +
                      " names, which is no extent of output '" + of.name + "' " +
                      shape_text(of.dims),
                  "give a name a line, one for each class");
  }
  model.labels.push_back(std::move(labels));
}

void read_preprocessing(const ConvertOptions& options, Model& model, ConvertReport& report) {
  const Graph& graph = model.main();
  for (const auto& [input, given] : options.preprocessing) {
    const std::string option = "--preprocess " + input + ":" + given.layout + ": ";
    const int32_t index = find_by_name(graph, graph.inputs, input);
    if (index < 0) {
      refuse(report, option + "no input is called '" + input + "'", there_is(graph, graph.inputs));
      continue;
    }
    const Tensor& tensor =
        graph.tensors[static_cast<size_t>(graph.inputs[static_cast<size_t>(index)])];
    mdl_shape shape = {static_cast<uint32_t>(tensor.dims.size()), {}};
    std::copy(tensor.dims.begin(), tensor.dims.end(), shape.dims);
    mdl_error reason = MDL_ERROR_INIT;
    if (check_preprocessing(given.layout.c_str(), given.scale, given.offset, shape, &reason) !=
        MDL_OK) {
      refuse(report, option + reason.text);
    }
    Preprocessing steps = given;
    steps.input = static_cast<uint32_t>(index);
    if (std::any_of(model.preprocessing.begin(), model.preprocessing.end(),
                    [&](const Preprocessing& other) { return other.input == steps.input; })) {
      refuse(report, option + "'" + input + "' is given twice");
    }
    model.preprocessing.push_back(std::move(steps));
  }
}

void read_metadata(const std::map<std::string, std::string>& given, Model& model,
                   ConvertReport& report) {
  // What the source says of itself, like what the file does.
  for (const char* key : {"name", "producer"}) {
    const auto found = model.metadata.find(key);
    if (found == model.metadata.end()) continue;
    report.notes.push_back("the source's metadata '" + found->first + "' = '" + found->second +
                           "' is left out: the key is a field of the file");
    model.metadata.erase(found);
  }
  for (const auto& [key, value] : given) {
    if (is_header_key(key)) {
      refuse(report, "--metadata " + key + "=" + value + ": the key is a field of the file",
             key == "name" ? "give the name with --name" : "choose another key");
    }
    model.metadata[key] = value;
  }
}

// The first bytes of a file, as many as Medulla's own begin with; zeros behind its end.
std::string start_of(const std::string& path) {
  std::string start(sizeof(kMagic), '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), sizeof(kMagic));
  return start;
}

// An importer reads a file to its end, which a pipe may not have.
void require_source(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw std::runtime_error(path + ": " + error.message());
  if (!std::filesystem::is_regular_file(status)) {
    const bool folder = std::filesystem::is_directory(status);
    throw std::runtime_error(path + (folder ? ": is a directory" : ": is a device or a pipe") +
                             ", should be a file");
  }
  if (std::filesystem::file_size(path, error) == 0) {
    throw std::runtime_error(path + ": is empty, should be a model");
  }
  if (start_of(path) == std::string_view(kMagic, sizeof(kMagic))) {
    throw std::runtime_error(path +
                             ": is a Medulla model already, should be ONNX or TensorFlow Lite");
  }
}

// Why the loader will not have the file, in its words; "" when it takes it.
std::string why_not_loaded(const Bytes& bytes) {
  const size_t size = align_up(bytes.size(), MDL_ALIGNMENT);
  const std::unique_ptr<void, decltype(&std::free)> block(std::aligned_alloc(MDL_ALIGNMENT, size),
                                                          std::free);
  if (block == nullptr) return "no memory is left to check the file";
  std::memcpy(block.get(), bytes.data(), bytes.size());
  const mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = nullptr;
  if (mdl_model_open_memory(block.get(), bytes.size(), &options, &model, &error) != MDL_OK) {
    std::string_view why = error.text;
    constexpr std::string_view kPlace = "memory block: ";  // where the bytes lie is no news
    if (why.starts_with(kPlace)) why.remove_prefix(kPlace.size());
    return std::string(why);
  }
  mdl_model_close(model);
  return "";
}

// By the file's ending; else by what a .tflite file says of itself from byte 4 on, or the first.
const ImporterRow& find_importer(const std::string& path) {
  for (const ImporterRow& row : kImporters) {
    if (path.ends_with(row.ending)) return row;
  }
  return start_of(path).ends_with("TFL3") ? find_importer(".tflite") : kImporters[0];
}

// A symbol has one maximum in the whole file, and means something in its graph only.
void name_symbols_apart(Model& model) {
  for (size_t g = 1; g < model.graphs.size(); ++g) {
    for (Tensor& tensor : model.graphs[g].tensors) {
      for (std::string& symbol : tensor.symbols) {
        if (!symbol.empty()) symbol = "graph" + std::to_string(g) + ":" + symbol;
      }
    }
  }
}

void make_printable(ConvertReport& report) {
  for (Refusal& r : report.refusals) {
    for (std::string* s : {&r.node, &r.op, &r.attribute, &r.reason, &r.rewrite}) *s = printable(*s);
    for (std::string& name : r.fixable) name = printable(name);
  }
  for (std::string& note : report.notes) note = printable(note);
  for (auto* counts : {&report.nodes_before, &report.nodes_after}) {
    std::map<std::string, size_t> by_name;
    for (const auto& [op, count] : *counts) by_name[printable(op)] += count;
    *counts = std::move(by_name);
  }
}

void count_nodes(const Model& model, std::map<std::string, size_t>& counts) {
  for (const Graph& graph : model.graphs) {
    for (const Node& node : graph.nodes) ++counts[node.op];
  }
}

std::vector<Tensor> outputs_of(const Graph& graph) {
  std::vector<Tensor> outputs;
  for (const int32_t t : graph.outputs) outputs.push_back(graph.tensors[static_cast<size_t>(t)]);
  return outputs;
}

// Whatever passes did, outputs are what they were.
void require_same(const std::vector<Tensor>& before, const Graph& graph, ConvertReport& report) {
  const std::vector<Tensor> after = outputs_of(graph);
  for (size_t o = 0; o < before.size(); ++o) {
    if (after[o].dtype == before[o].dtype && after[o].dims == before[o].dims) continue;
    refuse(report,
           "output '" + after[o].name + "' would be " + type_text(after[o]) + ", should be " +
               type_text(before[o]) + ": a pass of the converter is at fault",
           "convert with --no-pass all, and report the model");
  }
}

void read_and_write(const ConvertOptions& options, ConvertReport& report) {
  try {
    const Model model = import_and_optimize(options, report);
    if (!report.refusals.empty()) return;
    const Bytes bytes = model_bytes(model);
    const std::string why = why_not_loaded(bytes);
    if (why.empty()) {
      write_model(bytes, options.output);
    } else {
      refuse(report, "the file would not load: " + why);
    }
  } catch (const std::exception& why) {
    refuse(report, why.what());
  }
}

}  // namespace

Model import_and_optimize(const ConvertOptions& options, ConvertReport& report) {
  Model model;
  require_source(options.input);
  require_other_file(options.output, options.input);
  const ImporterRow& importer = find_importer(options.input);
  importer.import(options, model, report);
  if (!report.refusals.empty()) return model;
  for (const auto& [input, output] : options.states) {
    make_state(model.main(), input, output, options.initial, report);
  }
  if (!options.states.empty() && report.refusals.empty() && model.main().outputs.empty()) {
    refuse(report, "--state leaves the model without an output", "keep one that is no state");
  }
  if (!report.refusals.empty()) return model;
  PassContext context;
  context.nhwc = options.input_nhwc && importer.channels == Channels::first;
  context.stream = options.stream;
  std::vector<Tensor> outputs = outputs_of(model.main());
  run_passes(model, options.no_passes, context);
  // These two are asked to change them.
  if (context.nhwc || !context.stream.empty()) outputs = outputs_of(model.main());
  report.notes.insert(report.notes.end(), context.notes.begin(), context.notes.end());
  for (const std::string& text : context.refusals) refuse(report, text);

  if (!report.refusals.empty()) return model;
  model.drop_unused_graphs();
  for (Graph& graph : model.graphs) infer_shapes(graph);
  require_same(outputs, model.main(), report);
  if (!report.refusals.empty()) return model;
  name_symbols_apart(model);
  read_metadata(options.metadata, model, report);
  if (!options.labels.empty()) read_labels(options.labels, model, report);
  read_preprocessing(options, model, report);
  count_nodes(model, report.nodes_after);
  return model;
}

ConvertReport convert(const ConvertOptions& options) {
  ConvertReport report;
  read_and_write(options, report);
  make_printable(report);
  return report;
}

extern "C" MDL_API void medulla_convert(const ConvertOptions* options, ConvertReport* report) {
  *report = convert(*options);
}

}  // namespace medulla::tools
