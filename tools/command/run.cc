// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "tools/command/command.h"
#include "tools/command/engine.h"
#include "tools/command/tensor_files.h"
#include "tools/command/terminal.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

struct RunOptions {
  EngineOptions engine;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> dumps;  // tensor=file
  bool zeros = false;
  bool json = false;
};

constexpr size_t kShown = 8;  // values of an output that are printed

nlohmann::json describe(const mdl_model* model, mdl_session* session, size_t index,
                        const mdl_tensor_info& info) {
  mdl_error error = MDL_ERROR_INIT;
  int64_t dims[MDL_MAX_RANK] = {};
  uint32_t rank = 0;
  check(mdl_session_output_shape(session, index, dims, &rank, &error), error);
  const size_t count = static_cast<size_t>(
      std::accumulate(dims, dims + rank, int64_t{1}, [](int64_t a, int64_t b) { return a * b; }));
  std::vector<float> values(count);
  check(mdl_session_get_output(session, index, values.data(), count, &error), error);
  nlohmann::json output = {{"name", info.name},
                           {"dtype", mdl_dtype_name(info.dtype)},
                           {"shape", std::vector<int64_t>(dims, dims + rank)}};
  output["first"] = std::vector<float>(values.begin(),
                                       values.begin() + static_cast<long>(std::min(count, kShown)));
  const auto nan = std::count_if(values.begin(), values.end(), [](float v) { return v != v; });
  if (nan > 0) output["nan"] = nan;
  if (static_cast<size_t>(nan) < count) {
    // No number is below or above NaN, so those would hide the greatest.
    const auto less = [](float a, float b) { return a < b || (a != a && b == b); };
    const size_t top =
        static_cast<size_t>(std::max_element(values.begin(), values.end(), less) - values.begin());
    output["greatest_at"] = top;
    const char* label = mdl_model_label(model, index, top);
    if (label != nullptr) output["label"] = label;
  }
  return output;
}

void print(const nlohmann::json& output) {
  std::cout << one_line(output["name"]) << "  " << output["dtype"].get<std::string>() << "  "
            << output["shape"].dump() << "  ";
  for (const nlohmann::json& value : output["first"]) std::cout << value.get<float>() << " ";
  if (output.contains("nan")) std::cout << " " << output["nan"] << " values are NaN";
  if (output.contains("greatest_at")) std::cout << " greatest at " << output["greatest_at"];
  if (output.contains("label")) std::cout << " (" << one_line(output["label"]) << ")";
  std::cout << "\n";
}

[[noreturn]] void fail_missing(const mdl_model* model, const std::vector<std::string>& missing) {
  std::string text = "no --input for";
  for (const mdl_tensor_info& info : inputs_of(model)) {
    if (std::find(missing.begin(), missing.end(), info.name) == missing.end()) continue;
    text += "\n  '" + std::string(info.name) + "', " + mdl_dtype_name(info.dtype) + " " +
            shape_text(info);
  }
  throw std::runtime_error(text + "\ngive --input NAME=FILE, or --zeros to feed zeros");
}

void run(RunOptions& options) {
  for (const std::string& dump : options.dumps) {
    const NamedFile file = parse_named_file(dump);
    if (file.name.empty()) throw CLI::ValidationError("--dump " + dump + " should be TENSOR=FILE");
    options.engine.keep.push_back(file.name);
  }
  std::vector<std::string> written = options.outputs;
  written.insert(written.end(), options.dumps.begin(), options.dumps.end());
  require_other_files(written, options.engine.model, options.inputs);
  Engine engine = open_engine(options.engine);
  const std::vector<OutputFile> files = output_files(engine.model.get(), options.outputs);
  const std::vector<std::string> missing =
      load_inputs(engine.model.get(), engine.session.get(), options.inputs);
  if (!missing.empty() && !options.zeros) fail_missing(engine.model.get(), missing);
  run_session(engine.session.get());
  save_outputs(engine.model.get(), engine.session.get(), files);
  note_unwritten(engine.model.get(), files);
  for (const std::string& dump : options.dumps) {
    const NamedFile file = parse_named_file(dump);
    save_tensor(engine.session.get(), file.name, file.path);
  }
  const std::vector<mdl_tensor_info> outputs = outputs_of(engine.model.get());
  nlohmann::json report = nlohmann::json::array();
  for (size_t i = 0; i < outputs.size(); ++i) {
    report.push_back(describe(engine.model.get(), engine.session.get(), i, outputs[i]));
  }
  if (options.json) {
    print_json({{"outputs", report}}, 2);
  } else {
    for (const nlohmann::json& output : report) print(output);
  }
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a model once");
  options->engine.add_to(*command, true);
  command
      ->add_option("--input", options->inputs, "FILE or NAME=FILE: .npy, .csv, a picture, or raw")
      ->take_all();
  command->add_flag("--zeros", options->zeros, "Feed zeros to inputs without a file");
  command->add_option("--output", options->outputs, "FILE or NAME=FILE: .npy, .csv, or raw")
      ->take_all();
  command->add_option("--dump", options->dumps, "TENSOR=FILE: keep and write any tensor")
      ->take_all();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medulla::tools
