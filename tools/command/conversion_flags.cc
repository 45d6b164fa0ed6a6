// SPDX-License-Identifier: Apache-2.0
#include "tools/command/conversion_flags.h"

#include <filesystem>

#include "tools/command/command.h"
#include "tools/command/tensor_files.h"
#include "tools/common/input_file.h"
#include "tools/common/new_file.h"

namespace medulla::tools {
namespace {

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

// An ending that says something else is a slip, and what stands there is likely worth keeping.
void require_model_name(const std::string& output) {
  const std::string ending = ending_of(output);
  for (const char* other : {".bin", ".csv", ".h5", ".html", ".jpeg", ".jpg", ".json", ".npy",
                            ".npz", ".onnx", ".pb", ".png", ".raw", ".tflite", ".txt"}) {
    if (ending != other) continue;
    throw CLI::ValidationError("--output " + output + " ends in " + ending +
                               ", but is a Medulla model; it should end in .mdl");
  }
}

// What is given for a name a second time would be lost without a word.
template <class Value>
void add_once(std::map<std::string, Value>& to, const std::string& name, Value value,
              const char* option) {
  if (!to.emplace(name, std::move(value)).second) {
    throw CLI::ValidationError(std::string(option) + " names '" + name + "' twice");
  }
}

}  // namespace

void ConversionFlags::add_to(CLI::App& command, const char* names_option) {
  command.add_option("source", convert_.input, "The model to convert")
      ->required()
      ->check(not_empty);
  command.add_option(
      "-o,--output", convert_.output,
      "The .mdl file to write; else one in the current folder, called as the source");
  command.add_option("--name", convert_.name, "The model's name");
  command
      .add_option("--state", states_,
                  "INPUT=OUTPUT[:FILE.npy]: carry an output over to the next run's input")
      ->take_all();
  command.add_option("--stream", convert_.stream,
                     "SYMBOL: feed chunks along this dynamic dimension, what came before is kept");
  command.add_option("--max", maxima_, "SYMBOL=NUMBER: the maximum of a dynamic dimension")
      ->take_all();
  command
      .add_option("--fix-dim", fixed_dims_,
                  "SYMBOL=NUMBER: make a dynamic dimension this number, always")
      ->take_all();
  command
      .add_option("--fix", fixed_,
                  "INPUT=FILE.npy: make an input a constant, such as the shape of a Reshape")
      ->take_all();
  command.add_option("--metadata", metadata_, "KEY=VALUE")->take_all();
  command.add_option(names_option, convert_.labels, "[OUTPUT=]FILE with a class name a line")
      ->check(not_empty);
  command.add_option("--preprocess", preprocess_, "INPUT:LAYOUT:SCALES:OFFSETS")->take_all();
  command
      .add_option("--layout", layout_,
                  "Of image inputs and outputs: keep the source's (the default), or nhwc")
      ->check(CLI::IsMember({"keep", "nhwc"}));
  command.add_option("--no-pass", no_passes_, "Leave out a pass, by name")->take_all();
}

ConvertOptions& ConversionFlags::resolve() {
  if (convert_.output.empty()) {
    convert_.output =
        std::filesystem::path(convert_.input).filename().replace_extension(".mdl").string();
  }
  require_model_name(convert_.output);
  for (const std::string& text : states_) {
    auto pair = split(text, "INPUT=OUTPUT[:FILE.npy]");
    // A name may hold colons itself.
    if (const size_t colon = pair.second.rfind(':');
        colon != std::string::npos && pair.second.ends_with(".npy")) {
      convert_.initial[pair.first] = read_npy(read_.emplace_back(pair.second.substr(colon + 1)));
      pair.second.resize(colon);
    }
    convert_.states.push_back(std::move(pair));
  }
  add_numbers(maxima_, "--max", 0, convert_.maxima);
  add_numbers(fixed_dims_, "--fix-dim", 1, convert_.fixed_dims);
  for (const std::string& text : fixed_) {
    const auto [input, file] = split(text, "INPUT=FILE.npy");
    add_once(convert_.fixed, input, read_npy(read_.emplace_back(file)), "--fix");
  }
  for (const std::string& text : metadata_) {
    const auto [key, value] = split(text, "KEY=VALUE");
    add_once(convert_.metadata, key, value, "--metadata");
  }
  for (const std::string& text : preprocess_) {
    convert_.preprocessing.push_back(parse_preprocessing(text));
  }
  convert_.no_passes = {no_passes_.begin(), no_passes_.end()};
  convert_.input_nhwc = layout_ == "nhwc";
  if (!convert_.labels.empty()) read_.push_back(parse_named_file(convert_.labels).path);
  require_unread(convert_.output);
  return convert_;
}

void ConversionFlags::require_unread(const std::string& output) const {
  for (const std::string& path : read_) require_other_file(output, path);
}

}  // namespace medulla::tools
