// SPDX-License-Identifier: Apache-2.0
#include "tools/command/tensor_files.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "tools/command/engine.h"
#include "tools/common/new_file.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

// Whether the library makes the input of any numbers: it is a float, or it says its scale.
bool takes_numbers(const mdl_tensor_info& info) {
  return info.quantization.count > 0 || info.dtype == MDL_FLOAT16 || info.dtype == MDL_BFLOAT16 ||
         info.dtype == MDL_FLOAT32 || info.dtype == MDL_FLOAT64;
}

// Integers that float32 does not hold would become others.
void note_conversion(const std::string& path, const mdl_tensor_info& info, const Array& array,
                     const std::vector<float>& values) {
  constexpr float kExact = 1 << 24;
  const bool whole = array.dtype != MDL_FLOAT16 && array.dtype != MDL_BFLOAT16 &&
                     array.dtype != MDL_FLOAT32 && array.dtype != MDL_FLOAT64;
  const auto great =
      std::find_if(values.begin(), values.end(), [](float v) { return std::abs(v) > kExact; });
  if (whole && great != values.end()) {
    throw std::runtime_error(path + ": holds integers near " + std::to_string(*great) +
                             ", beyond what float32 tells apart; '" + info.name + "' takes " +
                             mdl_dtype_name(info.dtype) + ", convert the file");
  }
  std::cerr << "note: " << path << " is " << mdl_dtype_name(array.dtype) << ", '" << info.name
            << "' takes " << mdl_dtype_name(info.dtype)
            << (info.quantization.count > 0 ? ": its values are quantized\n"
                                            : ": its values are converted\n");
}

// Networks seldom take pixels as they are.
void note_pixels(const std::string& path, const Array& array, const mdl_model* model, size_t index,
                 const mdl_tensor_info& info) {
  const bool pixels = array.dtype == MDL_UINT8 && info.dtype == MDL_FLOAT32 && info.rank == 4;
  if (!is_picture(path) && !pixels) return;
  if (preprocessing_of(model, index).count > 0) return;
  std::cerr << "note: the model says nothing of preprocessing of '" << one_line(info.name)
            << "'; pixels 0 to 255 are fed as they are (convert --preprocess)\n";
}

void fill_input(const std::string& path, mdl_session* session, size_t index,
                const mdl_tensor_info& info, const Array& array) {
  mdl_error error = MDL_ERROR_INIT;
  if (array.dtype == info.dtype) {
    void* data = nullptr;
    size_t bytes = 0;
    check(mdl_session_input(session, index, &data, &bytes, &error), error);
    std::copy_n(array.data.data(), std::min(bytes, array.data.size()),
                static_cast<std::byte*>(data));
    return;
  }
  if (!takes_numbers(info)) {
    throw std::runtime_error(path + ": is " + mdl_dtype_name(array.dtype) + ", '" + info.name +
                             "' takes " + mdl_dtype_name(info.dtype) +
                             ", and nothing says how to round; convert the file");
  }
  const std::vector<float> values = to_floats(array);
  if (ending_of(path) == ".npy") note_conversion(path, info, array, values);
  check(mdl_session_set_input(session, index, values.data(), values.size(), &error), error);
}

Array output_array(const mdl_tensor_info& info, const void* data, size_t bytes, const int64_t* dims,
                   uint32_t rank) {
  const auto* first = static_cast<const std::byte*>(data);
  return {info.dtype, {dims, dims + rank}, {first, first + bytes}};
}

// Throws where writing numbers would leave a file that is not what it is called.
void require_writable(const std::string& path) {
  const std::string ending = ending_of(path);
  if (path == "-") {
    throw CLI::ValidationError("'-' is no file to write to; /dev/stdout is one");
  }
  for (const char* known : {"", ".npy", ".csv", ".raw", ".bin"}) {
    if (ending == known) return;
  }
  throw CLI::ValidationError(path + ": no " + ending +
                             " is written; .npy and .csv are, and the bytes as they are to .raw, "
                             ".bin or a name without an ending");
}

void write_array(const std::string& path, const Array& array) {
  if (ending_of(path) == ".npy") {
    write_npy(path, array);
  } else {
    write_bytes(path, array.data);
  }
}

void write_csv(const std::string& path, const std::vector<float>& values) {
  std::ostringstream out;
  out.precision(std::numeric_limits<float>::max_digits10);
  for (float value : values) out << value << "\n";
  const std::string text = out.str();
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  write_bytes(path, {first, first + text.size()});
}

}  // namespace

NamedFile parse_named_file(const std::string& text) {
  const size_t equals = text.find('=');
  if (text.empty() || equals == 0 || equals + 1 == text.size()) {
    throw CLI::ValidationError("'" + text + "' should have the form FILE or NAME=FILE");
  }
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<std::string> load_inputs(mdl_model* model, mdl_session* session,
                                     const std::vector<std::string>& files) {
  const std::vector<mdl_tensor_info> inputs = inputs_of(model);
  std::vector<std::optional<Array>> arrays(inputs.size());
  std::vector<std::string> paths(inputs.size());
  size_t next = 0;
  for (const std::string& text : files) {
    const NamedFile file = parse_named_file(text);
    size_t index = next;
    mdl_error error = MDL_ERROR_INIT;
    if (!file.name.empty()) {
      for (const mdl_tensor_info& state : states_of(model)) {
        if (file.name != state.name) continue;
        throw std::runtime_error(
            "'" + file.name +
            "' is a state, which the session keeps from run to run; no file can be fed to it");
      }
      check(mdl_model_find_input(model, file.name.c_str(), &index, &error), error);
    } else if (next++ >= inputs.size()) {
      throw std::runtime_error(file.path + ": the model has only " + std::to_string(inputs.size()) +
                               " inputs");
    }
    if (arrays[index]) {
      throw std::runtime_error(file.path + ": '" + inputs[index].name + "' is fed already, from " +
                               paths[index]);
    }
    arrays[index] = read_input(file.path, model, index, inputs[index]);
    paths[index] = file.path;
    note_pixels(file.path, *arrays[index], model, index, inputs[index]);
  }

  std::vector<const int64_t*> dims(inputs.size(), nullptr);
  std::vector<std::string> missing;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (arrays[i]) {
      dims[i] = arrays[i]->shape.data();
    } else {
      missing.push_back(inputs[i].name);
    }
  }
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_session_resize(session, dims.data(), dims.size(), &error), error);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (arrays[i]) fill_input(paths[i], session, i, inputs[i], *arrays[i]);
  }
  return missing;
}

void require_other_files(const std::vector<std::string>& outputs, const std::string& model,
                         const std::vector<std::string>& inputs) {
  std::vector<std::string> paths;
  for (const std::string& output : outputs) {
    const std::string path = paths.emplace_back(parse_named_file(output).path);
    require_writable(path);
    require_other_file(path, model);
    for (const std::string& input : inputs) require_other_file(path, parse_named_file(input).path);
  }
  require_places(paths);
}

std::vector<OutputFile> output_files(const mdl_model* model,
                                     const std::vector<std::string>& files) {
  const size_t count = mdl_model_output_count(model);
  std::vector<OutputFile> found;
  size_t next = 0;
  mdl_error error = MDL_ERROR_INIT;
  for (const std::string& text : files) {
    NamedFile file = parse_named_file(text);
    size_t index = next;
    if (!file.name.empty()) {
      check(mdl_model_find_output(model, file.name.c_str(), &index, &error), error);
    } else if (next++ >= count) {
      throw std::runtime_error(file.path + ": the model has only " + std::to_string(count) +
                               " outputs");
    }
    found.push_back({std::move(file), index});
  }
  return found;
}

void save_outputs(const mdl_model* model, mdl_session* session,
                  const std::vector<OutputFile>& files) {
  const std::vector<mdl_tensor_info> outputs = outputs_of(model);
  mdl_error error = MDL_ERROR_INIT;
  for (const auto& [file, index] : files) {
    const void* data = nullptr;
    size_t bytes = 0;
    int64_t dims[MDL_MAX_RANK] = {};
    uint32_t rank = 0;
    check(mdl_session_output(session, index, &data, &bytes, &error), error);
    check(mdl_session_output_shape(session, index, dims, &rank, &error), error);
    const Array array = output_array(outputs[index], data, bytes, dims, rank);
    if (ending_of(file.path) == ".csv") {
      std::vector<float> values(array.elements());
      check(mdl_session_get_output(session, index, values.data(), values.size(), &error), error);
      write_csv(file.path, values);
    } else {
      write_array(file.path, array);
    }
  }
}

void note_unwritten(const mdl_model* model, const std::vector<OutputFile>& files) {
  const std::vector<mdl_tensor_info> outputs = outputs_of(model);
  std::vector<bool> written(outputs.size());
  for (const auto& [file, index] : files) {
    if (!file.name.empty()) return;  // who names outputs knows them
    written[index] = true;
  }
  if (files.empty() || files.size() == outputs.size()) return;
  std::cerr << "note: of " << outputs.size() << " outputs";
  for (const bool which : {true, false}) {
    std::cerr << (which ? " written:" : "; not written:");
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (written[o] == which) std::cerr << " '" << one_line(outputs[o].name) << "'";
    }
  }
  std::cerr << " (--output NAME=FILE)\n";
}

void save_tensor(mdl_session* session, const std::string& name, const std::string& path) {
  mdl_error error = MDL_ERROR_INIT;
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  const void* data = nullptr;
  check(mdl_session_tensor(session, name.c_str(), &info, &data, &error), error);
  const Array array = output_array(info, data, info.bytes, info.dims, info.rank);
  if (ending_of(path) == ".csv") {
    write_csv(path, to_floats(array));
  } else {
    write_array(path, array);
  }
}

}  // namespace medulla::tools
