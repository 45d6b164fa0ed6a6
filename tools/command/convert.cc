// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "tools/command/command.h"
#include "tools/command/conversion_flags.h"
#include "tools/command/failure.h"
#include "tools/command/terminal.h"

namespace medulla::tools {
namespace {

struct Options {
  ConversionFlags flags;
  bool json = false;
};

// A sign of life on a terminal: the converter does not tell how far it is.
class Progress {
 public:
  explicit Progress(bool wanted) {
    if (!wanted || isatty(STDERR_FILENO) == 0) return;
    thread_ = std::thread([this] {
      std::unique_lock<std::mutex> lock(mutex_);
      for (int tick = 0; !ended_; ++tick) {
        wake_.wait_for(lock, std::chrono::milliseconds(200));
        if (ended_) break;
        std::cerr << "\rconverting "
                  << "|/-\\"[tick % 4] << std::flush;
      }
      std::cerr << "\r             \r" << std::flush;
    });
  }
  ~Progress() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

nlohmann::json to_json(const Refusal& refusal) {
  return {{"node", refusal.node},      {"op", refusal.op},         {"attribute", refusal.attribute},
          {"opset", refusal.opset},    {"reason", refusal.reason}, {"rewrite", refusal.rewrite},
          {"fixable", refusal.fixable}};
}

void print(const ConvertReport& report, const ConvertOptions& options) {
  for (const std::string& note : report.notes) std::cerr << "note: " << note << "\n";
  if (!report.refusals.empty()) return;
  size_t before = 0;
  size_t after = 0;
  for (const auto& [op, count] : report.nodes_before) before += count;
  for (const auto& [op, count] : report.nodes_after) after += count;
  std::cout << options.output << ": " << before << " nodes became " << after << "\n";
}

void run(Options& options) {
  ConvertOptions& convert = options.flags.resolve();

  ConvertReport report;
  {
    const Progress progress(!options.json);
    report = run_converter(convert);
  }
  nlohmann::json refusals = nlohmann::json::array();
  for (const Refusal& refusal : report.refusals) refusals.push_back(to_json(refusal));
  const nlohmann::json json = {{"output", convert.output},
                               {"refusals", refusals},
                               {"notes", report.notes},
                               {"nodes_before", report.nodes_before},
                               {"nodes_after", report.nodes_after}};
  if (!options.json) print(report, convert);
  if (!report.refusals.empty()) throw Failure(refusal_text(convert, report), json);
  if (options.json) {
    print_json(json, 2);
  }
}

}  // namespace

void add_convert(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("convert", "Make a .mdl file of an ONNX or TensorFlow Lite model");
  options->flags.add_to(*command, "--labels");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medulla::tools
