// SPDX-License-Identifier: Apache-2.0
// Two models on the same input, tensor by tensor in the order of execution. The second is the
// reference: what it computes is taken for right.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "src/model/model.h"
#include "tools/command/command.h"
#include "tools/command/converter.h"
#include "tools/command/failure.h"
#include "tools/command/feed.h"
#include "tools/command/judge.h"
#include "tools/command/temporary_file.h"
#include "tools/command/tensor_files.h"
#include "tools/command/terminal.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

struct Options {
  EngineOptions engine;
  std::vector<std::string> others;  // a model, or [NAME=]FILE.npy
  std::vector<std::string> inputs;
  std::vector<std::string> maxima;
  std::vector<std::string> fixed_dims;
  Bounds bounds;
  uint32_t seed = 1;
  bool reference = false;
  bool json = false;
};

struct Report {
  std::vector<Difference> compared;
  size_t by_source = 0;                // of those, how many have one source, but not one name
  size_t here = 0;                     // tensors that the first model's nodes make
  std::vector<std::string> fused;      // tensors that only the reference has
  std::vector<std::string> only_here;  // tensors that only the first model has
  std::vector<std::string> unlike;  // of one name, but of sizes or orders that cannot be compared
};

bool ends_with(const std::string& text, const char* ending) { return text.ends_with(ending); }

// The source as it stands: no pass touches it.
void convert_plain(const std::string& source, const std::string& to, const mdl_graph& like,
                   const Options& given) {
  ConvertOptions options;
  options.input = source;
  options.output = to;
  options.no_passes = {"all"};
  for (size_t i = 0; i < like.input_count; ++i) {
    const mdl_tensor& input = like.tensors[like.inputs[i]];
    for (uint32_t d = 0; d < input.rank; ++d) {
      if (input.symbols[d] != nullptr) options.maxima[input.symbols[d]] = input.dims[d];
    }
  }
  add_numbers(given.maxima, "--max", 0, options.maxima);
  add_numbers(given.fixed_dims, "--fix-dim", 1, options.fixed_dims);
  const ConvertReport report = run_converter(options);
  if (!report.refusals.empty()) throw std::runtime_error(refusal_text(options, report));
}

// Opens the model so that all that its nodes make can be read after a run.
Engine open_kept(EngineOptions options) {
  Engine engine;
  engine.model = open_model(options.model, MDL_CHECK_HEADER);
  const mdl_graph& graph = model_graph(*engine.model);
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    for (uint32_t o = 0; o < node.output_count; ++o) {
      if (node.outputs[o] < 0) continue;
      const std::string name = graph.tensors[node.outputs[o]].name;
      if (name.find(',') == std::string::npos) options.keep.push_back(name);
    }
  }
  engine.program = create_program(engine.model.get(), options);
  engine.session = create_session(engine.program.get(), options);
  return engine;
}

// The node that makes each tensor, by the tensor's name, and the names in the order of execution.
struct Makers {
  std::vector<std::string> names;
  std::map<std::string, const mdl_node*> nodes;
};

Makers makers_of(const mdl_model* model) {
  const mdl_graph& graph = model_graph(*model);
  Makers makers;
  for (size_t n = 0; n < graph.node_count; ++n) {
    for (uint32_t o = 0; o < graph.nodes[n].output_count; ++o) {
      const int32_t t = graph.nodes[n].outputs[o];
      if (t < 0) continue;
      makers.names.emplace_back(graph.tensors[t].name);
      makers.nodes.emplace(graph.tensors[t].name, &graph.nodes[n]);
    }
  }
  return makers;
}

void add_compared(const Makers& makers, const std::string& name, const Numbers& found,
                  const Numbers& reference, const Bounds& bounds, Report& report) {
  std::optional<Difference> d = difference(found, reference, bounds);
  if (!d) return report.unlike.push_back(name);
  d->tensor = name;
  d->node = makers.nodes.at(name)->name;
  d->op = makers.nodes.at(name)->op;
  report.compared.push_back(std::move(*d));
}

// What a tensor is called in the source of both models, of the name that it has in one: quantisers
// add what they put behind it, and a node that is last in its layout is called after the node.
std::string source_name(std::string name) {
  for (const char* added : {".reshape", ".rounded", ".dequantized", "_quantized",
                            "_DequantizeLinear_Output", "_QuantizeLinear_Output", "_output_0"}) {
    if (name.ends_with(added)) name.resize(name.size() - std::strlen(added));
  }
  return name;
}

// By the reference's names, the names of the same tensors here: those of one name, then of one
// source, the first where there are several.
std::map<std::string, std::string> pairs_of(const Makers& found, const Makers& expected) {
  std::map<std::string, std::string> sources, pairs;
  for (const std::string& name : found.names) {
    if (expected.nodes.count(name) == 0) sources.emplace(source_name(name), name);
  }
  for (const std::string& name : expected.names) {
    if (found.nodes.count(name) > 0) pairs[name] = name;
  }
  for (const std::string& name : expected.names) {
    const auto source = sources.find(source_name(name));
    if (pairs.count(name) > 0 || source == sources.end()) continue;
    pairs[name] = source->second;
    sources.erase(source);
  }
  return pairs;
}

Report compare_models(const Engine& here, const Engine& there, const Bounds& bounds) {
  const Makers found = makers_of(here.model.get()), expected = makers_of(there.model.get());
  const std::map<std::string, std::string> pairs = pairs_of(found, expected);
  Report report;
  report.here = found.names.size();
  std::set<std::string> paired;
  for (const std::string& name : expected.names) {
    const auto pair = pairs.find(name);
    if (pair == pairs.end()) {
      report.fused.push_back(name);
      continue;
    }
    const std::string& other = pair->second;
    paired.insert(other);
    const auto a = read_tensor(here.session.get(), other);
    const auto b = read_tensor(there.session.get(), name);
    const size_t before = report.compared.size();
    if (a && b) add_compared(found, other, *a, *b, bounds, report);
    if (report.compared.size() == before) continue;
    report.by_source += other != name;
    report.compared.back().reference = name;
  }
  for (const std::string& name : found.names) {
    if (paired.count(name) == 0) report.only_here.push_back(name);
  }
  judge(model_graph(*here.model), report.compared);
  return report;
}

// A file without a name is the tensor that it is called after, else the only output.
Report compare_goldens(const Engine& here, const std::vector<std::string>& files,
                       const Bounds& bounds) {
  const Makers found = makers_of(here.model.get());
  const std::vector<mdl_tensor_info> outputs = outputs_of(here.model.get());
  std::map<std::string, std::string> goldens;
  for (const std::string& text : files) {
    NamedFile file = parse_named_file(text);
    if (file.name.empty()) file.name = std::filesystem::path(file.path).stem().string();
    if (found.nodes.count(file.name) == 0 && outputs.size() == 1 && file.path == text) {
      file.name = outputs[0].name;
    }
    if (found.nodes.count(file.name) == 0) {
      throw std::runtime_error(text + ": the model makes no tensor '" + file.name + "'");
    }
    goldens[file.name] = file.path;
  }
  Report report;
  for (const std::string& name : found.names) {
    const auto golden = goldens.find(name);
    if (golden == goldens.end()) continue;
    const Array array = read_npy(golden->second);
    mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
    const void* data = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    check(mdl_session_tensor(here.session.get(), name.c_str(), &info, &data, &error), error);
    const Numbers numbers = numbers_of(info, data);
    // Integers of the tensor's own dtype are its quantised values; other numbers are what they say.
    if (array.dtype != info.dtype) info.quantization.count = 0;
    const Numbers reference = numbers_of(array, info.quantization);
    add_compared(found, name, numbers, reference, bounds, report);
  }
  return report;
}

constexpr size_t kListed = 8;

void print(const Report& report, const Difference* first) {
  std::cout << "       max      mean    SQNR dB     units  tensor\n";
  for (const Difference& d : report.compared) {
    std::cout << std::setprecision(3) << std::setw(10) << d.greatest << std::setw(10) << d.mean;
    if (std::isfinite(d.sqnr)) {
      std::cout << std::setw(11) << std::fixed << std::setprecision(1) << d.sqnr;
      std::cout << std::defaultfloat << std::setprecision(3);
    } else {
      std::cout << std::setw(11) << "equal";
    }
    std::cout << std::setw(10);
    if (d.units) {
      std::cout << *d.units;
    } else {
      std::cout << "";
    }
    std::cout << "  " << one_line(d.tensor) << " (" << d.op << " '" << one_line(d.node) << "')"
              << (d.over        ? " !"
                  : d.handed_on ? " ~"
                                : "")
              << "\n";
  }
  std::cout << report.compared.size();
  if (report.here > 0) std::cout << " of " << report.here;
  std::cout << " tensors compared";
  if (report.by_source > 0) {
    std::cout << ", " << report.by_source
              << " by what both are called in the source (--json tells)";
  }
  std::cout << "\n";
  const auto list = [](const char* what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    std::cout << names.size() << what;
    for (size_t n = 0; n < std::min(names.size(), kListed); ++n)
      std::cout << " " << one_line(names[n]);
    std::cout << (names.size() > kListed ? " ... (--json lists all)\n" : "\n");
  };
  const auto handed_on = std::count_if(report.compared.begin(), report.compared.end(),
                                       [](const Difference& d) { return d.handed_on; });
  if (handed_on > 0) {
    std::cout << handed_on << " beyond the bound as their layers' inputs explain, marked ~\n";
  }
  list(" only in the reference, fused away or renamed here:", report.fused);
  list(" only here, made by the optimiser:", report.only_here);
  list(" of one name, but of another size or order:", report.unlike);
  if (first == nullptr) return;
  size_t most = 1;
  for (const auto& [text, count] : first->histogram) most = std::max(most, count);
  std::cout << "\n'" << one_line(first->tensor) << "', elements by "
            << (first->units ? "units apart" : "distance, as a share of the greatest magnitude")
            << "\n";
  for (const auto& [text, count] : first->histogram) {
    std::cout << std::setw(10) << text << std::setw(10) << count << "  "
              << std::string((40 * count + most - 1) / most, '#') << "\n";
  }
}

nlohmann::json json_of(const Report& report, const Difference* first) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const Difference& d : report.compared) tensors.push_back(to_json(d));
  nlohmann::json json = {{"tensors", tensors},
                         {"paired_by_source", report.by_source},
                         {"only_in_reference", report.fused},
                         {"only_here", report.only_here},
                         {"unlike", report.unlike}};
  if (first != nullptr) {
    json["first"] = to_json(*first);
    for (const auto& [text, count] : first->histogram) {
      json["first"]["histogram"].push_back({{"distance", text}, {"elements", count}});
    }
  }
  return json;
}

Report compare(const Options& options) {
  const bool goldens = std::all_of(options.others.begin(), options.others.end(),
                                   [](const auto& text) { return ends_with(text, ".npy"); });
  if (!goldens && options.others.size() != 1) {
    throw std::runtime_error("one model, or any number of .npy files, should follow the model");
  }
  const Engine here = open_kept(options.engine);
  const std::map<std::string, Numbers> fed = feed(here, options.inputs, options.seed);
  run_session(here.session.get());
  if (goldens) return compare_goldens(here, options.others, options.bounds);

  EngineOptions reference = options.engine;
  reference.model = options.others[0];
  const TemporaryFile plain;
  const bool is_source = !ends_with(reference.model, ".mdl");
  if (is_source) {
    convert_plain(reference.model, plain.path(), model_graph(*here.model), options);
    reference.model = plain.path();
  }
  if (is_source || options.reference) {
    reference.backends = "reference";
    reference.kernels.clear();
  }
  const Engine there = open_kept(reference);
  feed_like(there, fed);
  run_session(there.session.get());
  return compare_models(here, there, options.bounds);
}

void run(const Options& options) {
  const Report report = compare(options);
  const Difference* first = nullptr;
  for (const Difference& d : report.compared) {
    if (d.over && first == nullptr) first = &d;
  }
  const nlohmann::json json = json_of(report, first);
  if (!options.json) print(report, first);
  if (report.compared.empty()) throw Failure("no tensor of one name is in both", json);
  if (first == nullptr) {
    if (options.json) print_json(json, 2);
    return;
  }
  std::string text = "the first tensor over its bound is '" + first->tensor + "', made by " +
                     first->op + " '" + first->node + "'";
  if (first->against_float) {
    std::ostringstream units;
    units << *first->units;
    text += "; it is quantised, the reference is not: " + units.str() +
            " units apart may be what quantising costs (see its SQNR), --units N allows as many";
  }
  throw Failure(text, json);
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "compare", "Name the first layer in which two models, or a model and its source, differ");
  options->engine.add_to(*command, true);
  command
      ->add_option("reference", options->others,
                   "A .mdl file, the source of the model, or [TENSOR=]FILE.npy")
      ->required();
  command->add_option("--input", options->inputs, "FILE or NAME=FILE, as run takes them")
      ->take_all()
      ->allow_extra_args(false);  // what follows may be the reference
  command->add_option("--seed", options->seed, "Of the numbers that inputs without a file get")
      ->check(whole_from(uint32_t{0}));
  command
      ->add_option("--bound", options->bounds.relative,
                   "Of floats, to the tensor's greatest magnitude; 0.0001")
      ->check(at_least(0));
  command
      ->add_option("--units", options->bounds.units,
                   "Of quantised tensors, in their unit; 1. More is taken where the SQNR is at "
                   "most 20 dB below "
                   "that of the layer's inputs. Beside float32 their rounding adds up to more")
      ->check(at_least(0));
  command->add_option("--max", options->maxima, "SYMBOL=NUMBER, as convert takes them")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--fix-dim", options->fixed_dims, "SYMBOL=NUMBER, as convert takes them")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--reference", options->reference,
                    "Run the second on the backend reference, as sources always are");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medulla::tools
