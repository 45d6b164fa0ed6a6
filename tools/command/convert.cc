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
#include "tools/command/converter.h"

namespace medulla::tools {
namespace {

struct Options {
  ConvertOptions convert;
  std::vector<std::string> states;    // input=output
  std::vector<std::string> maxima;    // symbol=number
  std::vector<std::string> fixed;     // input=file
  std::vector<std::string> metadata;  // key=value
  std::vector<std::string> no_passes;
  std::vector<std::string> preprocess;  // input:layout:scales:offsets
  std::string layout;
  bool json = false;
};

std::vector<float> floats(const std::string& text, const std::string& whole) {
  std::vector<float> values;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    char* end = nullptr;
    values.push_back(std::strtof(part.c_str(), &end));
    if (part.empty() || *end != 0) {
      throw CLI::ValidationError("'" + whole + "': '" + part + "' is not a number");
    }
    at = comma + 1;
  }
  return values;
}

// INPUT:LAYOUT:SCALE[,SCALE...]:OFFSET[,OFFSET...]; the name of an input may hold colons itself.
std::pair<std::string, Preprocessing> parse_preprocessing(const std::string& text) {
  std::string parts[3];  // behind the name, the last first
  std::string rest = text;
  for (std::string& part : parts) {
    const size_t colon = rest.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      throw CLI::ValidationError("'" + text +
                                 "' should have the form INPUT:LAYOUT:SCALES:OFFSETS, "
                                 "such as image:NCHW:0.0078125:128");
    }
    part = rest.substr(colon + 1);
    rest.resize(colon);
  }
  Preprocessing steps;
  steps.layout = parts[2];
  steps.scale = floats(parts[1], text);
  steps.offset = floats(parts[0], text);
  if (steps.scale.size() != steps.offset.size()) {
    throw CLI::ValidationError("'" + text + "' has " + std::to_string(steps.scale.size()) +
                               " scales and " + std::to_string(steps.offset.size()) + " offsets");
  }
  return {rest, steps};
}

// What is given for a name a second time would be lost without a word.
template <class Value>
void add_once(std::map<std::string, Value>& to, const std::string& name, Value value,
              const char* option) {
  if (!to.emplace(name, std::move(value)).second) {
    throw CLI::ValidationError(std::string(option) + " names '" + name + "' twice");
  }
}

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
  ConvertOptions& convert = options.convert;
  if (convert.output.empty()) {
    convert.output = std::filesystem::path(convert.input).replace_extension(".mdl").string();
  }
  for (const std::string& text : options.states) {
    auto pair = split(text, "INPUT=OUTPUT[:FILE.npy]");
    // A name may hold colons itself.
    if (const size_t colon = pair.second.rfind(':');
        colon != std::string::npos && pair.second.ends_with(".npy")) {
      convert.initial[pair.first] = read_npy(pair.second.substr(colon + 1));
      pair.second.resize(colon);
    }
    convert.states.push_back(std::move(pair));
  }
  add_maxima(options.maxima, convert);
  for (const std::string& text : options.fixed) {
    const auto [input, file] = split(text, "INPUT=FILE.npy");
    add_once(convert.fixed, input, read_npy(file), "--fix");
  }
  for (const std::string& text : options.metadata) {
    const auto [key, value] = split(text, "KEY=VALUE");
    add_once(convert.metadata, key, value, "--metadata");
  }
  for (const std::string& text : options.preprocess) {
    convert.preprocessing.push_back(parse_preprocessing(text));
  }
  convert.no_passes = {options.no_passes.begin(), options.no_passes.end()};
  convert.input_nhwc = options.layout == "nhwc";

  ConvertReport report;
  {
    const Progress progress(!options.json);
    report = run_converter(convert);
  }
  if (options.json) {
    nlohmann::json refusals = nlohmann::json::array();
    for (const Refusal& refusal : report.refusals) refusals.push_back(to_json(refusal));
    std::cout << nlohmann::json({{"output", convert.output},
                                 {"refusals", refusals},
                                 {"notes", report.notes},
                                 {"nodes_before", report.nodes_before},
                                 {"nodes_after", report.nodes_after}})
                     .dump(2)
              << "\n";
  } else {
    print(report, convert);
  }
  if (report.refusals.empty()) return;
  throw std::runtime_error(refusal_text(convert, report));
}

}  // namespace

void add_convert(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("convert", "Make a .mdl file of an ONNX or TensorFlow Lite model");
  command->add_option("source", options->convert.input, "The model to convert")->required();
  command->add_option("-o,--output", options->convert.output, "The .mdl file to write");
  command->add_option("--name", options->convert.name, "The model's name");
  command
      ->add_option("--state", options->states,
                   "INPUT=OUTPUT[:FILE.npy]: carry an output over to the next run's input")
      ->take_all();
  command->add_option("--stream", options->convert.stream,
                      "SYMBOL: feed chunks along this dynamic dimension, what came before is kept");
  command->add_option("--max", options->maxima, "SYMBOL=NUMBER: the maximum of a dynamic dimension")
      ->take_all();
  command
      ->add_option("--fix", options->fixed,
                   "INPUT=FILE.npy: make an input a constant, such as the shape of a Reshape")
      ->take_all();
  command->add_option("--metadata", options->metadata, "KEY=VALUE")->take_all();
  command->add_option("--labels", options->convert.labels, "[OUTPUT=]FILE with a class name a line")
      ->check(not_empty);
  command->add_option("--preprocess", options->preprocess, "INPUT:LAYOUT:SCALES:OFFSETS")
      ->take_all();
  command
      ->add_option("--layout", options->layout,
                   "Of image inputs and outputs: keep the source's (the default), or nhwc")
      ->check(CLI::IsMember({"keep", "nhwc"}));
  command->add_option("--no-pass", options->no_passes, "Leave out a pass, by name")->take_all();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medulla::tools
