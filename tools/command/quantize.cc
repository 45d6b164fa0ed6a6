// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "tools/command/command.h"
#include "tools/command/conversion_flags.h"
#include "tools/command/quantize_report.h"
#include "tools/command/tensor_files.h"
#include "tools/command/terminal.h"
#include "tools/common/new_file.h"

namespace medulla::tools {
namespace {

struct Options {
  ConversionFlags flags;
  QuantizeOptions quantize;
  std::string html;
  std::string method = "search";
  std::string weights;
  double budget = -1;
  double sqnr = -1;
  bool no_equalize = false;
  bool no_bias_correction = false;
  bool json = false;
};

const std::map<std::string, RangeMethod> kMethods = {{"search", RangeMethod::search},
                                                     {"min-max", RangeMethod::min_max},
                                                     {"percentile", RangeMethod::percentile},
                                                     {"mse", RangeMethod::mse},
                                                     {"entropy", RangeMethod::entropy}};

const std::map<std::string, WeightForm> kWeights = {
    {"float32", WeightForm::float32}, {"fp16", WeightForm::float16}, {"int8", WeightForm::int8}};

template <class Value>
std::vector<std::string> names_of(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  return names;
}

// What only ranges, and so samples, give a meaning to.
void require_samples(const CLI::App& command, const std::string& weights) {
  if (command.count("--calib") > 0) return;
  if (weights.empty() || weights == "float32") {
    throw CLI::RequiredError("--calib, or --weights int8 or fp16 for layers in float32,");
  }
  for (const char* option : {"--method", "--budget", "--sqnr", "--html"}) {
    if (command.count(option) == 0) continue;
    throw CLI::ValidationError(std::string(option) +
                               " is about integer layers, which need --calib");
  }
  if (command.count("--labels") > 0 && command.count("--eval") == 0) {
    throw CLI::ValidationError("--labels needs --eval, or --calib");
  }
}

// Throws when `output`, a file to write, is one that samples or labels come from.
void require_unread(const Options& options, const std::string& output) {
  const QuantizeOptions& quantize = options.quantize;
  std::vector<std::string> inputs = quantize.calibration;
  inputs.insert(inputs.end(), quantize.evaluation.begin(), quantize.evaluation.end());
  if (!quantize.labels.empty()) inputs.push_back(quantize.labels);
  for (const std::string& input : inputs) require_other_file(output, parse_named_file(input).path);
}

// A line on a terminal that says how far the work is, and from the third second of a stage on how
// long that will take.
class ProgressLine {
 public:
  void operator()(const std::string& stage, size_t done, size_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (stage != stage_ || done < done_) start_ = now;
    stage_ = stage;
    done_ = done;
    std::cerr << "\r" << stage << " " << done;
    if (of > 0) std::cerr << " of " << of;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    if (of > done && done > 1 && seconds >= 3) {
      const auto left = static_cast<double>(of - done) / static_cast<double>(done - 1);
      std::cerr << ", some " << std::ceil(seconds * left) << " s left";
    }
    std::cerr << "\033[K" << std::flush;
  }

 private:
  std::string stage_;
  size_t done_ = 0;
  std::chrono::steady_clock::time_point start_;
};

void run(const CLI::App& command, Options& options) {
  require_samples(command, options.weights);
  QuantizeOptions& quantize = options.quantize;
  quantize.weights_alone = command.count("--calib") == 0;
  if (!options.weights.empty()) quantize.weights = kWeights.at(options.weights);
  quantize.convert = options.flags.resolve();
  quantize.method = kMethods.at(options.method);
  quantize.equalize = !options.no_equalize;
  quantize.correct_bias = !options.no_bias_correction;
  if (options.budget >= 0) quantize.budget = options.budget;
  if (options.sqnr >= 0) quantize.sqnr = options.sqnr;
  if (quantize.budget && quantize.labels.empty()) {
    throw CLI::ValidationError(
        "--budget is in points of top-1, which needs --labels; --sqnr does not");
  }
  require_unread(options, quantize.convert.output);
  if (!options.html.empty()) {
    require_other_file(options.html, quantize.convert.input);
    options.flags.require_unread(options.html);
    require_unread(options, options.html);
    require_places({options.html, quantize.convert.output});
  }
  const bool shows = !options.json && isatty(STDERR_FILENO) != 0;
  if (shows) quantize.progress = ProgressLine();

  const QuantizeReport report = run_quantizer(quantize);
  if (shows) std::cerr << "\r\033[K" << std::flush;
  if (!report.convert.refusals.empty()) {
    throw std::runtime_error(refusal_text(quantize.convert, report.convert));
  }
  if (!report.error.empty()) throw std::runtime_error(report.error);
  if (!options.html.empty()) {
    const std::string page = html_of(quantize, report);
    const auto* first = reinterpret_cast<const std::byte*>(page.data());
    write_bytes(options.html, {first, first + page.size()});
  }
  if (!report.budget_met) {
    std::cerr << "note: the bound is not met with every layer in float32 either\n";
  }
  if (options.json) {
    print_json(to_json(quantize, report), 2);
  } else {
    print(std::cout, quantize, report);
  }
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "quantize", "Make a .mdl file of integer layers from a float32 model and samples");
  options->flags.add_to(*command, "--class-names");
  QuantizeOptions& quantize = options->quantize;
  command
      ->add_option("--calib", quantize.calibration,
                   "[INPUT=]PATH: a .npy with a sample a row, or a folder with a sample a file")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--eval", quantize.evaluation,
                   "[INPUT=]PATH: samples that accuracy is measured on; those of --calib")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--labels", quantize.labels,
                   "[OUTPUT=]FILE.npy: the class of each sample that accuracy is measured on")
      ->check(not_empty);
  command
      ->add_option("--method", options->method,
                   "Of ranges: search, mse, min-max, percentile or entropy")
      ->check(CLI::IsMember(names_of(kMethods)));
  command
      ->add_option("--weights", options->weights,
                   "How the file holds weights of layers that compute in float32: fp16, int8 or "
                   "float32")
      ->check(CLI::IsMember(names_of(kWeights)));
  command->add_option("--budget", options->budget, "Points of top-1 that may be lost")
      ->check(at_least(0));
  command->add_option("--sqnr", options->sqnr, "dB that every output keeps; 10 without --budget")
      ->check(at_least(0));
  command->add_option("--keep", quantize.float_layers, "NODE: stays in float32")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--no-equalize", options->no_equalize,
                    "Leave the channels of activations as far apart as they are");
  command->add_flag("--no-bias-correction", options->no_bias_correction,
                    "Leave the means that rounding shifts");
  command->add_option("--html", options->html, "Write the report as one self-contained page");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, command] { run(*command, *options); });
}

}  // namespace medulla::tools
