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
  std::vector<std::string> preprocess;  // input:layout:scale:offset
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
      throw std::runtime_error("'" + whole + "': '" + part + "' is not a number");
    }
    at = comma + 1;
  }
  return values;
}

// INDEX:LAYOUT:SCALE[,SCALE...]:OFFSET[,OFFSET...]
Preprocessing parse_preprocessing(const std::string& text) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() != 4) {
    throw std::runtime_error("'" + text +
                             "' should have the form INPUT:LAYOUT:SCALES:OFFSETS, "
                             "such as 0:NCHW:0.0078125:128");
  }
  Preprocessing preprocessing;
  preprocessing.input = parts[0] == "0" ? 0 : static_cast<uint32_t>(number(parts[0], text));
  preprocessing.layout = parts[1];
  preprocessing.scale = floats(parts[2], text);
  preprocessing.offset = floats(parts[3], text);
  if (preprocessing.scale.size() != preprocessing.offset.size()) {
    throw std::runtime_error("'" + text + "' has " + std::to_string(preprocessing.scale.size()) +
                             " scales and " + std::to_string(preprocessing.offset.size()) +
                             " offsets");
  }
  return preprocessing;
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
    convert.fixed[input] = read_npy(file);
  }
  for (const std::string& text : options.metadata)
    convert.metadata.insert(split(text, "KEY=VALUE"));
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
  command->add_option("--labels", options->convert.labels,
                      "[OUTPUT=]FILE with a class name a line");
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
