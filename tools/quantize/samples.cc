// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/samples.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "tools/common/input_file.h"

namespace medulla::tools {
namespace {

// Fewer elements may well be equal.
constexpr size_t kTelling = 16;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw std::runtime_error(where + ": " + what);
}

std::string expected(const mdl_tensor_info& info) {
  return std::string("'") + info.name + "', which is " + mdl_dtype_name(info.dtype) + " " +
         shape_text(info);
}

Array prepared(const std::string& where, const Array& array, const mdl_model* model, size_t index,
               const mdl_tensor_info& info) {
  std::optional<Array> pixels = preprocessed(array, model, index, info);
  if (pixels) return std::move(*pixels);
  fail(where, std::string("is ") + mdl_dtype_name(array.dtype) + ", should be " +
                  mdl_dtype_name(info.dtype) + " as " + expected(info) +
                  (array.dtype == MDL_UINT8 ? "; --preprocess says what pixels become" : ""));
}

// Throws unless a sample tells something: its numbers are finite, and not all one.
void require_telling(const std::string& where, const Array& array) {
  if (array.elements() == 0) fail(where, "is empty");
  const std::vector<float> values = to_floats(array);
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    fail(where, "element " + std::to_string(i) + " is " +
                    (std::isnan(values[i]) ? "not a number" : "infinite") + ", should be finite");
  }
  const bool constant =
      std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; });
  if (constant && values.size() >= kTelling) {
    fail(where, "is constant: each of its " + std::to_string(values.size()) + " values is " +
                    std::to_string(values[0]) + "; a sample should be data as the model meets it");
  }
}

std::vector<Array> from_stack(const std::string& path, const mdl_tensor_info& info) {
  const Array stack = read_npy(path);
  if (stack.shape.empty() || stack.shape[0] == 0) {
    fail(path, "holds no sample: its shape is " + shape_text(stack.shape) +
                   ", should be samples times " + shape_text(info));
  }
  const std::vector<int64_t> row(stack.shape.begin() + 1, stack.shape.end());
  const auto shape = fitted_shape(row, info);
  if (!shape) {
    fail(path, "a sample has shape " + shape_text(row) + ", should fit " + expected(info));
  }
  const auto count = static_cast<size_t>(stack.shape[0]);
  const size_t bytes = stack.data.size() / count;
  std::vector<Array> samples;
  for (size_t s = 0; s < count; ++s) {
    const auto first = stack.data.begin() + static_cast<ptrdiff_t>(s * bytes);
    samples.push_back({stack.dtype, *shape, {first, first + static_cast<ptrdiff_t>(bytes)}});
  }
  return samples;
}

std::vector<Array> samples_of(const std::string& path, const mdl_model* model, size_t index,
                              const mdl_tensor_info& info) {
  std::vector<Array> samples;
  std::vector<std::string> names;
  if (!std::filesystem::exists(path)) {
    fail(path,
         "is not there; it should be a .npy with a sample a row or a folder with a sample a file");
  } else if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.is_regular_file()) names.push_back(entry.path().string());
    }
    std::sort(names.begin(), names.end());
    if (names.empty()) fail(path, "holds no file, should hold a sample a file");
    for (const std::string& name : names) samples.push_back(read_input(name, model, index, info));
  } else if (ending_of(path) == ".npy") {
    samples = from_stack(path, info);
    for (size_t s = 0; s < samples.size(); ++s) {
      names.push_back(path + ", sample " + std::to_string(s));
    }
  } else {
    fail(path, "should be a .npy with a sample a row, or a folder with a sample a file");
  }
  for (size_t s = 0; s < samples.size(); ++s) {
    if (samples[s].dtype != info.dtype) {
      samples[s] = prepared(names[s], samples[s], model, index, info);
    }
    require_telling(names[s], samples[s]);
  }
  const bool constant = std::all_of(samples.begin(), samples.end(), [&](const Array& sample) {
    return sample.data == samples[0].data;
  });
  if (constant && samples.size() > 1) {
    fail(path, "is constant: all " + std::to_string(samples.size()) +
                   " samples are equal, should be data as the model meets it");
  }
  return samples;
}

}  // namespace

std::vector<Sample> read_samples(const mdl_model* model, const std::vector<std::string>& paths) {
  const std::vector<mdl_tensor_info> inputs = inputs_of(model);
  std::vector<std::vector<Array>> by_input(inputs.size());
  size_t next = 0;
  for (const std::string& text : paths) {
    size_t index = next;
    std::string path = text;
    const size_t equals = text.find('=');
    if (equals != std::string::npos && !std::filesystem::exists(text)) {
      mdl_error error = MDL_ERROR_INIT;
      path = text.substr(equals + 1);
      check(mdl_model_find_input(model, text.substr(0, equals).c_str(), &index, &error), error);
    } else if (next++ >= inputs.size()) {
      fail(path, "the model has only " + std::to_string(inputs.size()) + " inputs");
    }
    if (!by_input[index].empty()) {
      fail(path, std::string("'") + inputs[index].name + "' has its samples already");
    }
    by_input[index] = samples_of(path, model, index, inputs[index]);
  }
  std::vector<Sample> samples;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string input = std::string("input '") + inputs[i].name + "'";
    if (by_input[i].empty()) fail(input, "has no samples; --calib INPUT=PATH gives them");
    if (by_input[i].size() != by_input[0].size()) {
      fail(input, "has " + std::to_string(by_input[i].size()) + " samples, '" + inputs[0].name +
                      "' has " + std::to_string(by_input[0].size()));
    }
    samples.resize(by_input[i].size());
    for (size_t s = 0; s < samples.size(); ++s) samples[s].push_back(std::move(by_input[i][s]));
  }
  return samples;
}

}  // namespace medulla::tools
