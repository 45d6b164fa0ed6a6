// SPDX-License-Identifier: Apache-2.0
#include "tools/import/tflite.h"

#include <algorithm>
#include <set>

#include "tools/import/boundary.h"
#include "tools/import/dimensions.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

// The main subgraph with its inputs, outputs and states.
class Importer {
 public:
  Importer(const ConvertOptions& options, const TfliteFile& file, TfliteCalls& calls, Graph& graph,
           ConvertReport& report)
      : options_(options),
        graph_(graph),
        scope_(file, *file.model().subgraphs()->Get(0), report, calls, graph) {}

  void run();

 private:
  void find_names();
  int64_t extent_of(const std::string& symbol, const std::string& input, size_t d);
  void add_input(int32_t id);
  void add_outputs();
  void fix_unwritten();
  void add_states();
  void refuse_tensor(const std::string& name, const char* role, const Refused& why) {
    scope_.report.refusals.push_back({name, role, why.attribute, 0, why.reason, why.rewrite});
  }
  std::string name_of(const std::map<int32_t, std::string>& names, int32_t id) const {
    const auto found = names.find(id);
    return found == names.end() ? scope_.name_of(id) : found->second;
  }

  const ConvertOptions& options_;
  Graph& graph_;
  TfliteScope scope_;
  std::map<int32_t, std::string> input_names_, output_names_;  // by the signature
  std::set<std::string> symbols_;
};

void Importer::find_names() {
  const auto* signatures = scope_.file.model().signatures();
  if (signatures == nullptr) return;
  const auto read = [](const auto* maps, std::map<int32_t, std::string>& names) {
    if (maps == nullptr) return;
    for (const tflite::TensorMap* map : *maps) {
      if (map->name() != nullptr && map->tensor_index() <= INT32_MAX) {
        names.emplace(static_cast<int32_t>(map->tensor_index()), map->name()->str());
      }
    }
  };
  bool found = false;
  for (const tflite::SignatureDef* signature : *signatures) {
    const std::string key = signature->key() == nullptr ? "" : signature->key()->str();
    if (found || signature->subgraph_index() != 0) {
      scope_.report.notes.push_back("signature '" + key + "' is left out; one is converted");
      continue;
    }
    found = true;
    read(signature->inputs(), input_names_);
    read(signature->outputs(), output_names_);
  }
}

// A first dimension without a maximum is taken for the batch and set to 1; any other is refused.
int64_t Importer::extent_of(const std::string& symbol, const std::string& input, size_t d) {
  symbols_.insert(symbol);
  for (const auto* given : {&options_.fixed_dims, &options_.maxima}) {
    const auto found = given->find(symbol);
    if (found != given->end()) return found->second;
  }
  if (d > 0) {
    refuse("dimension " + std::to_string(d) + " ('" + symbol + "') has no maximum",
           "--max " + symbol + "=MAXIMUM, or --fix-dim " + symbol + "=EXTENT for one extent only");
  }
  scope_.report.notes.push_back("dimension '" + symbol + "' of input '" + input +
                                "' has no maximum and is set to 1; --max " + symbol +
                                "=MAXIMUM lets it vary");
  return 1;
}

// uint8 with a scale stays what it is outside, and is int8 inside.
void Importer::add_input(int32_t id) {
  const tflite::Tensor& from = scope_.tensor(id);
  const std::string name = name_of(input_names_, id);
  try {
    Tensor tensor = scope_.declared(id);
    tensor.name = name;
    scope_.file.bytes_of(from);  // refuses a buffer that there is not
    const auto* signature = from.shape_signature();
    bool varies = false;
    tensor.symbols.resize(tensor.dims.size());
    for (size_t d = 0; signature != nullptr && d < tensor.dims.size() && d < signature->size();
         ++d) {
      if (signature->Get(static_cast<uint32_t>(d)) >= 0) continue;
      const std::string symbol = name + "." + std::to_string(d);
      const int64_t extent = extent_of(symbol, name, d);
      scope_.shapes_vary |= extent != tensor.dims[d];
      tensor.dims[d] = extent;
      if (extent == 1 || options_.fixed_dims.count(symbol) > 0) continue;
      tensor.symbols[d] = symbol;
      varies = true;
    }
    if (!varies) tensor.symbols.clear();
    const bool shifted = from.type() == tflite::TensorType::UINT8 && tensor.quantization;
    const auto quantization = tensor.quantization;
    if (shifted) {
      tensor.dtype = MDL_UINT8;
      for (int32_t& z : tensor.quantization->zero_points) z += 128;
    }
    int32_t t = scope_.build.add_tensor(std::move(tensor));
    graph_.inputs.push_back(t);
    scope_.build.set_name(name);
    if (shifted) {
      t = scope_.build.add_typed("QuantizeLinear", {scope_.build.add("DequantizeLinear", {t})}, {},
                                 MDL_INT8, quantization);
    }
    scope_.values[static_cast<size_t>(id)].stored = t;
  } catch (const Refused& why) {
    refuse_tensor(name, "input", why);
    scope_.values[static_cast<size_t>(id)].stands_in = true;
    scope_.values[static_cast<size_t>(id)].stored = scope_.build.add_tensor({});
  }
}

void Importer::add_outputs() {
  for (const int32_t id : ids(scope_.subgraph.outputs())) {
    const std::string name = name_of(output_names_, id);
    int32_t t = -1;
    try {
      t = scope_.result(id);
    } catch (const Refused&) {
      refuse_tensor(name, "output", {"", "nothing makes it", ""});
      continue;
    }
    scope_.build.set_name(name);
    if (scope_.tensor(id).type() == tflite::TensorType::UINT8)
      t = uint8_of_shifted(scope_.build, t);
    add_output(scope_.build, t, name);
  }
}

// What nobody writes is no state, but what it begins with.
void Importer::fix_unwritten() {
  for (auto& [name, state] : scope_.states) {
    if (state.tensor < 0 || state.written != state.tensor) continue;
    const auto id = static_cast<size_t>(state.tensor);
    graph_.tensors[id].data = state.initial;
    if (!state.initial) {
      const int32_t zero = scope_.build.scalar(0.0f);
      const Attributes shape = {{"shape", graph_.tensors[id].dims}};
      graph_.nodes.insert(graph_.nodes.begin(),
                          {graph_.tensors[id].name, "Expand", 1, shape, {zero}, {state.tensor}});
    }
    state.tensor = -1;
  }
}

void Importer::add_states() {
  for (auto& [name, state] : scope_.states) {
    if (state.tensor < 0) continue;  // written before it is read, in every run, or never
    const Tensor& read = scope_.build.tensor(state.tensor);
    const Tensor& written = scope_.build.tensor(state.written);
    if (read.dtype != written.dtype || read.dims != written.dims) {
      refuse_tensor(name, "state",
                    {"", "is written in another dtype or shape than it is read", ""});
      continue;
    }
    if (graph_.is_constant(state.written)) {
      Tensor copy = written;
      copy.data = nullptr;
      const int32_t id = scope_.build.add_tensor(std::move(copy));
      graph_.nodes.push_back({name, "Identity", 1, {}, {state.written}, {id}});
      state.written = id;
    }
    graph_.states.push_back({state.tensor, state.written, MDL_STATE_REPLACE, 0, state.initial});
  }
}

void Importer::run() {
  graph_.name = scope_.subgraph.name() == nullptr ? "" : scope_.subgraph.name()->str();
  const auto count = static_cast<int32_t>(scope_.values.size());
  for (const auto* list : {scope_.subgraph.inputs(), scope_.subgraph.outputs()}) {
    for (const int32_t id : ids(list)) {
      if (id >= 0 && id < count) continue;
      refuse_tensor("", "",
                    {"",
                     "the graph names tensor " + std::to_string(id) + " of " +
                         std::to_string(count) + " as input or output",
                     ""});
      return;
    }
  }
  find_names();
  for (const int32_t id : ids(scope_.subgraph.inputs())) add_input(id);
  convert_operators(scope_);
  check_dimensions(options_, 1, symbols_, scope_.calls.loops, scope_.report);
  if (!scope_.report.refusals.empty()) return;
  if (scope_.float_layers_of_integer_weights > 0) {
    scope_.report.notes.push_back(std::to_string(scope_.float_layers_of_integer_weights) +
                                  " layers have integer weights and float activations; they are "
                                  "computed in float32");
  }
  fix_unwritten();
  add_outputs();
  add_states();
  if (!scope_.report.refusals.empty()) return;
  graph_.compact();
  make_names_unique(graph_);
}

}  // namespace

void import_tflite(const ConvertOptions& options, Model& model, ConvertReport& report) {
  const auto refuse_file = [&](const Refused& why) {
    report.refusals.push_back({options.input, "file", "", 0, why.reason, why.rewrite});
  };
  try {
    const TfliteFile file(options.input);
    if (file.model().subgraphs() == nullptr || file.model().subgraphs()->size() == 0) {
      refuse("has no graph");
    }
    model.producer = "TensorFlow Lite";
    Graph& graph = model.graphs.emplace_back();
    TfliteCalls calls{options, {}, {}};
    Importer(options, file, calls, graph, report).run();
    model.name = options.name.empty() ? graph.name : options.name;
    for (const auto& body : calls.bodies) model.graphs.push_back(std::move(*body));
  } catch (const Refused& why) {
    refuse_file(why);
  }
}

}  // namespace medulla::tools
