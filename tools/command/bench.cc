// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "src/model/model.h"
#include "tools/command/command.h"
#include "tools/command/engine.h"
#include "tools/command/tensor_files.h"
#include "tools/command/terminal.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

struct BenchOptions {
  EngineOptions engine;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  int warmup = 3;
  int runs = 20;
  bool json = false;
  std::string against;
};

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// A state that grows is full one day: every run begins like the first.
class Runner {
 public:
  Runner(const mdl_model* model, mdl_session* session) : session_(session) {
    const mdl_graph& graph = model_graph(*model);
    for (size_t s = 0; s < graph.state_count; ++s) {
      grows_ |= graph.states[s].kind == MDL_STATE_APPEND;
    }
  }

  // Milliseconds of one run.
  double run() {
    mdl_error error = MDL_ERROR_INIT;
    if (grows_) check(mdl_session_reset(session_, &error), error);
    const Clock::time_point start = Clock::now();
    run_session(session_);
    return ms_since(start);
  }

 private:
  mdl_session* session_;
  bool grows_ = false;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Not from getrusage, whose peak begins with that of the process that started this one.
int64_t peak_rss() {
  std::ifstream status("/proc/self/status");
  int64_t kib = 0;
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> kib;
  }
  return kib;
}

// As the system calls it; "" where it does not say.
std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    const bool names = line.rfind("model name", 0) == 0 || line.rfind("CPU part", 0) == 0;
    if (names && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

// One row a step, summed over the runs.
struct StepTimes {
  nlohmann::json what;
  std::vector<double> us;
};

int collect(void* context, const mdl_step_profile* step) {
  auto& [steps, next] = *static_cast<std::pair<std::vector<StepTimes>*, size_t>*>(context);
  if (next == steps->size()) {
    steps->push_back({{{"name", step->name},
                       {"op", step->op},
                       {"backend", step->backend},
                       {"kernel", step->kernel},
                       {"macs", step->macs},
                       {"bytes", step->bytes}},
                      {}});
  }
  (*steps)[next++].us.push_back(static_cast<double>(step->nanoseconds) / 1e3);
  return 1;
}

nlohmann::json profile_steps(const BenchOptions& options, const Engine& engine) {
  EngineOptions profiled = options.engine;
  profiled.profile = true;
  const SessionPtr session = create_session(engine.program.get(), profiled);
  load_inputs(engine.model.get(), session.get(), options.inputs);
  std::vector<StepTimes> steps;
  Runner runner(engine.model.get(), session.get());
  for (int i = 0; i < options.warmup + options.runs; ++i) {
    runner.run();
    if (i < options.warmup) continue;
    std::pair<std::vector<StepTimes>*, size_t> context(&steps, 0);
    mdl_error error = MDL_ERROR_INIT;
    check(mdl_session_profile(session.get(), collect, &context, &error), error);
  }
  nlohmann::json rows = nlohmann::json::array();
  for (StepTimes& step : steps) {
    step.what["us"] = median(step.us);
    rows.push_back(std::move(step.what));
  }
  return rows;
}

nlohmann::json measure(const BenchOptions& options) {
  require_other_files(options.outputs, options.engine.model, options.inputs);
  const Clock::time_point load_start = Clock::now();
  const Engine engine = open_engine(options.engine);
  const double load_ms = ms_since(load_start);

  const std::vector<OutputFile> files = output_files(engine.model.get(), options.outputs);
  load_inputs(engine.model.get(), engine.session.get(), options.inputs);
  Runner runner(engine.model.get(), engine.session.get());
  const double first_run_ms = runner.run();
  save_outputs(engine.model.get(), engine.session.get(), files);

  for (int i = 0; i < options.warmup; ++i) runner.run();
  std::vector<double> runs_ms;
  for (int i = 0; i < options.runs; ++i) runs_ms.push_back(runner.run());
  const int64_t peak_rss_kib = peak_rss();
  const mdl_memory_need need = memory_need(engine.model.get(), options.engine);
  const nlohmann::json plan = nlohmann::json::parse(plan_text(engine.program.get(), MDL_PLAN_JSON));
  nlohmann::json report = {{"model", options.engine.model},
                           {"inputs", options.inputs},
                           {"threads", options.engine.threads},
                           {"check_finite", options.engine.check_finite},
                           {"isa", plan["isa"]},
                           {"numerics", plan["numerics"]},
                           {"kernels", options.engine.kernels},
                           {"backends", options.engine.backends},
                           {"cpu", cpu_name()},
                           {"load_ms", load_ms},
                           {"first_run_ms", first_run_ms},
                           {"runs_ms", runs_ms},
                           {"median_ms", median(runs_ms)},
                           {"arena_bytes", need.arena_bytes},
                           {"program_bytes", need.program_bytes},
                           {"session_bytes", need.session_bytes},
                           {"peak_rss_kib", peak_rss_kib},
                           {"build", mdl_build_info()}};
  if (options.engine.profile) report["steps"] = profile_steps(options, engine);
  return report;
}

void print_steps(const nlohmann::json& steps) {
  double total = 0;
  for (const nlohmann::json& step : steps) total += step["us"].get<double>();
  std::cout << "\n      us     %   GMAC/s    GB/s  kernel                            step\n";
  for (const nlohmann::json& step : steps) {
    const double us = step["us"];
    std::cout << std::fixed << std::setprecision(2) << std::setw(8) << us << std::setprecision(1)
              << std::setw(6) << 100 * us / total << std::setw(9)
              << (us > 0 ? step["macs"].get<double>() / us / 1e3 : 0) << std::setw(8)
              << (us > 0 ? step["bytes"].get<double>() / us / 1e3 : 0) << "  " << std::left
              << std::setw(34) << step["kernel"].get<std::string>() << step["op"].get<std::string>()
              << " " << one_line(step["name"]) << std::right << "\n";
  }
}

// What --json printed before. Whatever would be wrong with it later is found here.
nlohmann::json read_old(const std::string& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  nlohmann::json old = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
  bool fits = old.is_object() && old.contains("runs_ms") && old["runs_ms"].is_array();
  std::vector<double> runs;
  for (const nlohmann::json& run : fits ? old["runs_ms"] : nlohmann::json::array()) {
    fits = fits && run.is_number();
    if (fits) runs.push_back(run);
  }
  if (!fits || !(median(runs) > 0)) {
    throw std::runtime_error(path +
                             ": is not what bench --json printed: runs_ms should be the "
                             "milliseconds of one run or more");
  }
  old["median_ms"] = median(runs);
  return old;
}

// What decides how long a run takes, of what a report tells.
constexpr const char* kConditions[] = {"model",    "inputs",  "threads",  "check_finite", "isa",
                                       "numerics", "kernels", "backends", "cpu",          "build"};

// Those of which the old run had others, or does not tell.
std::vector<std::string> differences(const nlohmann::json& old, const nlohmann::json& report,
                                     const std::string& file) {
  std::vector<std::string> keys;
  for (const char* key : kConditions) {
    const auto before = old.find(key);
    if (before != old.end() && *before == report[key]) continue;
    keys.push_back(key);
    std::cerr << "note: " << file;
    if (before == old.end()) {
      std::cerr << " does not tell its " << key << "\n";
      continue;
    }
    std::cerr << " was measured with another " << key;
    if (std::string(key) != "build") {
      std::cerr << ": " << before->dump() << ", here "
                << report[key].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    std::cerr << "\n";
  }
  return keys;
}

void bench(const BenchOptions& options) {
  nlohmann::json old;
  if (!options.against.empty()) old = read_old(options.against);
  nlohmann::json report = measure(options);
  if (!options.against.empty()) {
    const double before = old["median_ms"];
    report["against"] = {{"file", options.against},
                         {"median_ms", before},
                         {"ratio", report["median_ms"].get<double>() / before},
                         {"differs", differences(old, report, options.against)}};
  }
  if (options.json) {
    print_json(report);
    return;
  }
  std::vector<double> runs = report["runs_ms"];
  std::sort(runs.begin(), runs.end());
  std::cout << std::fixed << std::setprecision(3) << "load   " << report["load_ms"].get<double>()
            << " ms\nfirst  " << report["first_run_ms"].get<double>() << " ms\nrun    median "
            << report["median_ms"].get<double>() << " ms, min " << runs.front() << ", max "
            << runs.back() << " (" << runs.size() << " runs, " << options.engine.threads
            << " threads)\nmemory arena " << report["arena_bytes"] << " bytes, program "
            << report["program_bytes"] << ", session " << report["session_bytes"] << ", peak rss "
            << report["peak_rss_kib"] << " KiB\n";
  if (report.contains("against")) {
    std::cout << "against " << options.against << ": " << report["against"]["ratio"].get<double>()
              << " times its median\n";
  }
  if (report.contains("steps")) print_steps(report["steps"]);
}

}  // namespace

void add_bench(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Measure a model");
  options->engine.add_to(*command, true);
  command->add_option("--input", options->inputs, "FILE or NAME=FILE; zeros where none is given")
      ->take_all();
  command->add_option("--output", options->outputs, "FILE or NAME=FILE, of the first run")
      ->take_all();
  command
      ->add_option("--warmup", options->warmup,
                   "Runs before measuring; " + std::to_string(options->warmup))
      ->check(whole_from(0));
  command->add_option("--runs", options->runs, "Runs to measure; " + std::to_string(options->runs))
      ->check(whole_from(1));
  command->add_flag("--profile", options->engine.profile, "Measure each step too");
  command->add_option("--against", options->against, "Compare with what --json printed before");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options] { bench(*options); });
}

}  // namespace medulla::tools
