// SPDX-License-Identifier: Apache-2.0
#include "tools/command/inspect.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "src/model/model.h"
#include "tools/command/bodies.h"
#include "tools/command/command.h"
#include "tools/command/engine.h"
#include "tools/command/float_nodes.h"
#include "tools/command/terminal.h"
#include "tools/command/transposes.h"
#include "tools/common/array.h"
#include "tools/common/new_file.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

struct Options {
  EngineOptions engine;
  bool ops = false;
  bool tensors = false;
  bool plan = false;
  bool json = false;
  std::string dot;
  std::string html;
};

nlohmann::json describe(const mdl_tensor_info& info) {
  nlohmann::json json = {{"name", info.name},
                         {"dtype", mdl_dtype_name(info.dtype)},
                         {"shape", std::vector<int64_t>(info.dims, info.dims + info.rank)},
                         {"bytes", info.bytes}};
  json["dynamic"] = nlohmann::json::array();  // the dimensions that may be smaller
  for (uint32_t d = 0; d < info.rank; ++d) {
    if ((info.dynamic >> d & 1) != 0) json["dynamic"].push_back(d);
  }
  add_quantization(json, info.quantization);
  return json;
}

nlohmann::json describe(const std::vector<mdl_tensor_info>& list) {
  nlohmann::json json = nlohmann::json::array();
  for (const mdl_tensor_info& info : list) json.push_back(describe(info));
  return json;
}

// Null where the file says nothing.
nlohmann::json describe_preprocessing(const mdl_model* model, size_t input) {
  const mdl_preprocessing steps = preprocessing_of(model, input);
  if (steps.count == 0) return nullptr;
  return {{"layout", steps.layout},
          {"scale", std::vector<float>(steps.scale, steps.scale + steps.count)},
          {"offset", std::vector<float>(steps.offset, steps.offset + steps.count)}};
}

// The block of a model's tables.
size_t model_block(const mdl_model& model) {
  size_t bytes = 0;
  mdl_error error = MDL_ERROR_INIT;
  if (mdl_model_memory_need(model.bytes.data(), model.bytes.size(), nullptr, &bytes, &error) !=
      MDL_OK) {
    throw std::runtime_error(error.text);
  }
  return bytes;
}

nlohmann::json describe(size_t model_bytes, const mdl_memory_need& need) {
  return {{"model_bytes", model_bytes},          {"program_bytes", need.program_bytes},
          {"session_bytes", need.session_bytes}, {"packed_bytes", need.packed_bytes},
          {"arena_bytes", need.arena_bytes},     {"arena_bound_bytes", need.arena_bound_bytes},
          {"scratch_bytes", need.scratch_bytes}, {"state_bytes", need.state_bytes},
          {"stack_bytes", need.stack_bytes}};
}

nlohmann::json describe(const Transposes& counts) {
  return {{"inputs", counts.inputs},
          {"outputs", counts.outputs},
          {"channel_shuffles", counts.shuffles},
          {"interleaved_phases", counts.interleaved},
          {"inside", counts.inside}};
}

std::map<std::string, size_t> count_ops(const std::vector<PlacedGraph>& graphs) {
  std::map<std::string, size_t> counts;
  for (const auto& [graph, path] : graphs) {
    for (size_t n = 0; n < graph->node_count; ++n) ++counts[graph->nodes[n].op];
  }
  return counts;
}

nlohmann::json describe_model(const mdl_model* model) {
  nlohmann::json metadata = nlohmann::json::object();
  for (const char* key : {"name", "producer"}) {
    const char* value = mdl_model_metadata(model, key);
    if (value != nullptr) metadata[key] = value;
  }
  for (size_t i = 0; i < mdl_model_metadata_count(model); ++i) {
    metadata[mdl_model_metadata_key(model, i)] = mdl_model_metadata_value(model, i);
  }
  nlohmann::json inputs = describe(inputs_of(model));
  for (size_t i = 0; i < inputs.size(); ++i) {
    nlohmann::json steps = describe_preprocessing(model, i);
    if (!steps.is_null()) inputs[i]["preprocessing"] = std::move(steps);
  }
  nlohmann::json outputs = describe(outputs_of(model));
  for (size_t i = 0; i < outputs.size(); ++i) {
    for (size_t l = 0; l < mdl_model_label_count(model, i); ++l) {
      outputs[i]["labels"].push_back(mdl_model_label(model, i, l));
    }
  }
  return {{"metadata", metadata},
          {"inputs", inputs},
          {"outputs", outputs},
          {"states", describe(states_of(model))}};
}

// A column of a table, apart from the next however long the text is.
std::string column(const std::string& name, size_t width) {
  const std::string text = one_line(name);
  return text + std::string(std::max(text.size() + 2, width) - text.size(), ' ');
}

void print_quantization(const mdl_quantization& q) {
  if (q.count == 1) {
    std::cout << "  scale " << q.scales[0] << ", zero point " << q.zero_points[0];
  } else if (q.count > 1) {
    std::cout << "  " << q.count << " scales along axis " << q.axis;
  }
}

// `rows` tell of the same tensors as `list`.
void print_list(const char* what, const std::vector<mdl_tensor_info>& list,
                const nlohmann::json& rows) {
  constexpr size_t kLabels = 8;  // of a list that are printed
  for (size_t i = 0; i < list.size(); ++i) {
    std::cout << "  " << column(what, 8) << column(list[i].name, 24)
              << column(mdl_dtype_name(list[i].dtype), 10) << one_line(shape_text(list[i]));
    print_quantization(list[i].quantization);
    if (const auto steps = rows[i].find("preprocessing"); steps != rows[i].end()) {
      std::cout << "\n          preprocessing " << one_line((*steps)["layout"]) << ", scale "
                << (*steps)["scale"].dump() << ", offset " << (*steps)["offset"].dump();
    }
    if (const auto labels = rows[i].find("labels"); labels != rows[i].end()) {
      std::cout << "\n          labels ";
      for (size_t l = 0; l < std::min(labels->size(), kLabels); ++l) {
        std::cout << (l > 0 ? ", " : "") << one_line((*labels)[l]);
      }
      if (labels->size() > kLabels) std::cout << ", ...: " << labels->size() << " in all";
    }
    std::cout << "\n";
  }
}

void print_model(const mdl_model* model, const std::string& file) {
  const nlohmann::json report = describe_model(model);
  std::cout << file << "\n";
  for (const auto& [key, value] : report["metadata"].items()) {
    std::cout << "  " << one_line(key) << ": " << one_line(value) << "\n";
  }
  print_list("input", inputs_of(model), report["inputs"]);
  print_list("output", outputs_of(model), report["outputs"]);
  print_list("state", states_of(model), report["states"]);
}

void print_memory(size_t model_bytes, const mdl_memory_need& need) {
  const auto row = [](const char* what, size_t bytes, const char* note) {
    std::cout << "  " << std::left << std::setw(22) << what << std::right << std::setw(12) << bytes
              << "  " << note << "\n";
  };
  std::cout << "\nmemory, bytes\n";
  row("model block", model_bytes, "for mdl_model_options.block");
  row("program block", need.program_bytes, "for mdl_program_options.block");
  row("  packed weights", need.packed_bytes, "");
  row("session block", need.session_bytes, "for mdl_session_options.block, one thread");
  row("  arena", need.arena_bytes, "inputs, outputs, intermediate tensors");
  row("  arena, lower bound", need.arena_bound_bytes, "no plan can be smaller");
  row("  scratch", need.scratch_bytes, "");
  row("  state", need.state_bytes, "");
  row("stack of a run", need.stack_bytes, "at most");
}

void print_transposes(const Transposes& counts) {
  std::cout << "\ntransposes\n  of inputs x" << counts.inputs << ", of outputs x" << counts.outputs
            << ", channel shuffles x" << counts.shuffles << ", interleaved phases x"
            << counts.interleaved << ", others inside x" << counts.inside << "\n";
}

void print_tensors(const std::vector<PlacedGraph>& graphs) {
  std::cout << "\ntensors\n";
  for (const auto& [graph, path] : graphs) {
    for (size_t t = 0; t < graph->tensor_count; ++t) {
      const mdl_tensor& tensor = graph->tensors[t];
      std::cout << "  " << column(path + tensor.name, 36) << column(mdl_dtype_name(tensor.dtype), 9)
                << column(shape_text(tensor), 20) << std::right << std::setw(12) << tensor.bytes
                << (tensor.data != nullptr ? "  constant" : "");
      print_quantization(tensor.quantization);
      std::cout << "\n";
    }
  }
}

// A row for each step, and below one that runs graphs those of its bodies, which it counts in.
void print_rows(const nlohmann::json& steps, const std::string& path, double macs) {
  size_t number = 0;
  for (const nlohmann::json& step : steps) {
    const std::string name = step["name"];
    const double own = step["macs"];
    std::ostringstream share;
    share << std::fixed << std::setprecision(1) << (macs > 0 ? 100 * own / macs : 0);
    std::cout << std::setw(5) << (path.empty() ? std::to_string(number++) : "") << std::setw(13)
              << own << std::setw(6) << (path.empty() ? share.str() : "") << std::setw(13)
              << step["bytes"].get<double>() << "  " << std::left << std::setw(11)
              << step["backend"].get<std::string>() << std::setw(36)
              << step["kernel"].get<std::string>() << step["op"].get<std::string>() << " '"
              << one_line(path + name) << "'" << std::right;
    for (const nlohmann::json& output : step["outputs"]) std::cout << " " << output["shape"].dump();
    std::cout << "\n";
    for (const nlohmann::json& body : step.value("bodies", nlohmann::json::array())) {
      const std::string inside = body["name"];
      print_rows(body["steps"], path + (inside.empty() ? name : inside) + "/", macs);
    }
  }
}

void print_steps(const nlohmann::json& steps) {
  double macs = 0;
  for (const nlohmann::json& step : steps) macs += step["macs"].get<double>();
  std::cout << "\nsteps, " << std::fixed << std::setprecision(0) << macs
            << " MACs in all\n    #         MACs     %        bytes  backend    "
            << "kernel                              operators, first node, output\n";
  print_rows(steps, "", macs);
}

void print_float_nodes(const std::vector<FloatNode>& nodes) {
  if (nodes.empty()) return;
  std::cout << "\nfloat32 nodes of this quantized model, and why\n";
  for (const FloatNode& node : nodes) {
    std::cout << "  " << node.op << " '" << one_line(node.name) << "': " << one_line(node.reason)
              << "\n";
  }
}

nlohmann::json describe(const std::vector<FloatNode>& nodes) {
  nlohmann::json list = nlohmann::json::array();
  for (const FloatNode& node : nodes) {
    list.push_back({{"name", node.name}, {"op", node.op}, {"reason", node.reason}});
  }
  return list;
}

void write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::cout << text;
    return;
  }
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  write_bytes(path, {first, first + text.size()});
  std::cerr << path << ": written\n";
}

void inspect(const Options& options) {
  std::vector<std::string> written;
  for (const std::string& output : {options.dot, options.html}) {
    require_other_file(output, options.engine.model);
    if (!output.empty() && output != "-") written.push_back(output);
  }
  require_places(written);
  const ModelPtr model = open_model(options.engine.model, MDL_CHECK_HEADER);
  const mdl_graph& graph = model_graph(*model);
  const std::vector<PlacedGraph> graphs = all_graphs(graph);
  const std::map<std::string, size_t> ops = count_ops(graphs);
  if (options.ops) {
    if (options.json) return print_json(ops);
    std::string list;
    for (const auto& [op, count] : ops) list += (list.empty() ? "" : ";") + op;
    std::cout << list << "\n";
    return;
  }
  if (!options.dot.empty()) write_text(options.dot, dot_of(graph));
  if (!options.dot.empty() && options.html.empty() && !options.json) return;
  const ProgramPtr program = create_program(model.get(), options.engine);
  const mdl_memory_need need = memory_need(model.get(), options.engine);
  if (options.plan && !options.json) {
    std::cout << plan_text(program.get(), MDL_PLAN_TEXT);
    return;
  }
  const nlohmann::json plan = nlohmann::json::parse(plan_text(program.get(), MDL_PLAN_JSON));
  if (!options.json && options.html.empty()) {
    print_model(model.get(), options.engine.model);
    if (options.tensors) print_tensors(graphs);
    std::cout << "\noperators\n ";
    for (const auto& [op, count] : ops) std::cout << " " << op << " x" << count;
    std::cout << "\n";
    print_transposes(count_transposes(graphs));
    print_memory(model_block(*model), need);
    print_steps(plan["steps"]);
    print_float_nodes(float_nodes(graphs));
    return;
  }
  nlohmann::json report = describe_model(model.get());
  report["file"] = options.engine.model;
  report["operators"] = ops;
  report["transposes"] = describe(count_transposes(graphs));
  report["memory"] = describe(model_block(*model), need);
  report["tensors"] = tensors_json(graphs, model->bytes.data());
  report["nodes"] = nodes_json(graphs);
  report["plan"] = plan;
  report["float_nodes"] = describe(float_nodes(graphs));
  if (!options.html.empty()) write_text(options.html, html_of(graph, report));
  if (options.json) print_json(report, 2);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show a model: tensors, nodes, plan, memory, MACs");
  options->engine.add_to(*command, false);
  CLI::Option* ops =
      command->add_flag("--ops", options->ops, "Only the operators, as MEDULLA_OPS takes them");
  command->add_flag("--tensors", options->tensors, "List every tensor too");
  CLI::Option* plan = command->add_flag(
      "--plan", options->plan, "Only the plan: places, and why other backends did not take a step");
  command->add_option("--dot", options->dot, "Write the graph for Graphviz; - prints it")
      ->excludes(ops);
  command->add_option("--html", options->html, "Write a page: graph, memory over time, cost")
      ->excludes(ops)
      ->excludes(plan);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { inspect(*options); });
}

}  // namespace medulla::tools
