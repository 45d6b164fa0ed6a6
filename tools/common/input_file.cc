// SPDX-License-Identifier: Apache-2.0
#include "tools/common/input_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "tools/common/handles.h"
#include "tools/common/shape_text.h"

namespace medulla::tools {
namespace {

[[noreturn]] void fail_shape(const std::string& path, const std::vector<int64_t>& shape,
                             const mdl_tensor_info& info) {
  throw std::runtime_error(path + ": shape " + shape_text(shape) + " does not fit '" + info.name +
                           "', which is " + mdl_dtype_name(info.dtype) + " " + shape_text(info));
}

Array read_csv(const std::string& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (char& c : text) {
    if (c == ',' || c == ';') c = ' ';
  }
  std::istringstream lines(text);
  std::vector<float> values;
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream in(line);
    for (std::string word; in >> word;) {
      char* end = nullptr;
      values.push_back(std::strtof(word.c_str(), &end));
      if (*end == 0) continue;
      throw std::runtime_error(path + ", line " + std::to_string(number) + ": '" + word +
                               "' is not a number");
    }
  }
  Array array{MDL_FLOAT32, {static_cast<int64_t>(values.size())}, {}};
  array.data.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(array.data.data(), values.data(), array.data.size());
  return array;
}

// The picture as the input wants it: in its layout, through its preprocessing.
Array read_prepared_picture(const std::string& path, const mdl_model* model, size_t index,
                            const mdl_tensor_info& info) {
  mdl_preprocessing steps = MDL_PREPROCESSING_INIT;
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_model_preprocessing(model, index, &steps, &error), error);
  if (info.rank != 4) {
    throw std::runtime_error(path + ": a picture needs an input of rank 4, '" + info.name +
                             "' is " + shape_text(info));
  }
  const std::string layout = steps.layout != nullptr ? steps.layout : "";
  const bool channels_last =
      layout == "NHWC" || (layout != "NCHW" && (info.dims[3] == 1 || info.dims[3] == 3));
  const int64_t channels = channels_last ? info.dims[3] : info.dims[1];
  if (channels != 1 && channels != 3) {
    throw std::runtime_error(path + ": a picture has 1 or 3 channels, '" + info.name + "' has " +
                             std::to_string(channels));
  }
  const Array picture = read_picture(path, channels);
  const size_t pixels = static_cast<size_t>(picture.shape[0] * picture.shape[1]);
  std::vector<float> values(pixels * static_cast<size_t>(channels));
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
      const size_t s = steps.count > 1 ? c : 0;
      const float raw = static_cast<float>(picture.data[p * static_cast<size_t>(channels) + c]);
      const float value = steps.count > 0 ? (raw - steps.offset[s]) * steps.scale[s] : raw;
      values[channels_last ? p * static_cast<size_t>(channels) + c : c * pixels + p] = value;
    }
  }
  Array array;
  array.dtype = MDL_FLOAT32;
  array.shape = channels_last
                    ? std::vector<int64_t>{1, picture.shape[0], picture.shape[1], channels}
                    : std::vector<int64_t>{1, channels, picture.shape[0], picture.shape[1]};
  array.data.resize(values.size() * sizeof(float));
  std::memcpy(array.data.data(), values.data(), array.data.size());
  return array;
}

}  // namespace

std::optional<std::vector<int64_t>> fitted_shape(const std::vector<int64_t>& from,
                                                 const mdl_tensor_info& info) {
  std::vector<int64_t> shape = from;
  while (shape.size() < info.rank) shape.insert(shape.begin(), 1);
  while (shape.size() > info.rank && shape.front() == 1) shape.erase(shape.begin());
  if (shape.size() != info.rank) return std::nullopt;
  for (uint32_t d = 0; d < info.rank; ++d) {
    const bool dynamic = (info.dynamic >> d & 1) != 0;
    const int64_t most = info.dims[d];
    if (dynamic ? shape[d] < std::min<int64_t>(most, 1) || shape[d] > most : shape[d] != most) {
      return std::nullopt;
    }
  }
  return shape;
}

std::string ending_of(const std::string& path) {
  return std::filesystem::path(path).extension().string();
}

Array read_input(const std::string& path, const mdl_model* model, size_t index,
                 const mdl_tensor_info& info) {
  const std::string ending = ending_of(path);
  const std::vector<int64_t> whole(info.dims, info.dims + info.rank);
  Array array;
  if (ending == ".npy") {
    array = read_npy(path);
  } else if (ending == ".csv") {
    array = read_csv(path);
    const Array full{MDL_FLOAT32, whole, {}};
    if (array.elements() == full.elements()) array.shape = whole;
  } else if (is_picture(path)) {
    array = read_prepared_picture(path, model, index, info);
  } else if (ending == ".npz") {
    throw std::runtime_error(path + ": holds several arrays; numpy.save writes one, to a .npy");
  } else {
    array = {info.dtype, whole, read_bytes(path)};
    if (array.data.size() != info.bytes) {
      throw std::runtime_error(path + ": holds " + std::to_string(array.data.size()) + " bytes, '" +
                               info.name + "', which is " + mdl_dtype_name(info.dtype) + " " +
                               shape_text(info) + ", takes " + std::to_string(info.bytes));
    }
  }
  const std::optional<std::vector<int64_t>> shape = fitted_shape(array.shape, info);
  if (!shape) fail_shape(path, array.shape, info);
  array.shape = *shape;
  return array;
}

}  // namespace medulla::tools
