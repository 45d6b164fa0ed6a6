// SPDX-License-Identifier: Apache-2.0
#include "tools/common/input_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tools/common/handles.h"
#include "tools/common/shape_text.h"

namespace medulla::tools {
namespace {

[[noreturn]] void fail_shape(const std::string& path, const std::vector<int64_t>& shape,
                             const mdl_tensor_info& info) {
  throw std::runtime_error(path + ": shape " + shape_text(shape) + " does not fit '" + info.name +
                           "', which is " + mdl_dtype_name(info.dtype) + " " + shape_text(info));
}

// What an input of whole numbers holds.
struct Whole {
  int64_t least;
  uint64_t most;
  size_t bytes;
};

template <class T>
Whole whole_of() {
  using Limits = std::numeric_limits<T>;
  return {static_cast<int64_t>(Limits::min()), static_cast<uint64_t>(Limits::max()), sizeof(T)};
}

// Nothing where the input is made of any numbers: it is a float, or it says its scale.
std::optional<Whole> whole_of(const mdl_tensor_info& info) {
  if (info.quantization.count > 0) return std::nullopt;
  switch (info.dtype) {
    case MDL_BOOL:
      return whole_of<bool>();
    case MDL_INT8:
      return whole_of<int8_t>();
    case MDL_UINT8:
      return whole_of<uint8_t>();
    case MDL_INT16:
      return whole_of<int16_t>();
    case MDL_UINT16:
      return whole_of<uint16_t>();
    case MDL_INT32:
      return whole_of<int32_t>();
    case MDL_UINT32:
      return whole_of<uint32_t>();
    case MDL_INT64:
      return whole_of<int64_t>();
    case MDL_UINT64:
      return whole_of<uint64_t>();
    default:
      return std::nullopt;
  }
}

// The number in two's complement; nothing where it is none that the input holds.
std::optional<uint64_t> read_whole(const std::string& word, const Whole& whole) {
  const char* end = word.data() + word.size();
  uint64_t positive = 0;
  if (const auto [at, wrong] = std::from_chars(word.data(), end, positive);
      at == end && wrong == std::errc()) {
    return positive <= whole.most ? std::optional(positive) : std::nullopt;
  }
  int64_t any = 0;
  if (const auto [at, wrong] = std::from_chars(word.data(), end, any);
      at == end && wrong == std::errc()) {
    return any >= whole.least ? std::optional(static_cast<uint64_t>(any)) : std::nullopt;
  }
  // 3.0 and 3e0, as numpy.savetxt writes them.
  constexpr double kExact = 9007199254740992;  // 2^53
  char* stop = nullptr;
  const double value = std::strtod(word.c_str(), &stop);
  if (*stop != 0 || !(std::abs(value) <= kExact) || value != std::floor(value)) return std::nullopt;
  any = static_cast<int64_t>(value);
  if (any < whole.least || (any > 0 && static_cast<uint64_t>(any) > whole.most)) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(any);
}

Array read_csv(const std::string& path, const mdl_tensor_info& info) {
  const std::vector<std::byte> bytes = read_bytes(path);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (char& c : text) {
    if (c == ',' || c == ';') c = ' ';
  }
  const std::optional<Whole> whole = whole_of(info);
  Array array{whole ? info.dtype : MDL_FLOAT32, {0}, {}};
  const auto append = [&array](const auto& value, size_t size) {
    const auto* first = reinterpret_cast<const std::byte*>(&value);
    array.data.insert(array.data.end(), first, first + size);
    ++array.shape[0];
  };
  std::istringstream lines(text);
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream in(line);
    size_t column = 0;
    for (std::string word; in >> word;) {
      const std::string place = path + ", line " + std::to_string(number) + ", column " +
                                std::to_string(++column) + ": '" + word + "' is ";
      if (whole) {
        const std::optional<uint64_t> value = read_whole(word, *whole);
        if (!value) {
          throw std::runtime_error(place + "no whole number from " + std::to_string(whole->least) +
                                   " to " + std::to_string(whole->most) + ", as '" + info.name +
                                   "' takes, which is " + mdl_dtype_name(info.dtype));
        }
        append(*value, whole->bytes);
        continue;
      }
      char* end = nullptr;
      const float value = std::strtof(word.c_str(), &end);
      if (*end != 0) throw std::runtime_error(place + "not a number");
      append(value, sizeof(value));
    }
  }
  return array;
}

// The picture in the layout of the input.
Array read_laid_out(const std::string& path, const mdl_preprocessing& steps,
                    const mdl_tensor_info& info) {
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
  Array picture = read_picture(path, channels);
  const int64_t height = picture.shape[0], width = picture.shape[1];
  picture.shape = {1, height, width, channels};
  if (channels_last) return picture;
  Array planes{MDL_UINT8, {1, channels, height, width}, {}};
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    for (size_t i = c; i < picture.data.size(); i += static_cast<size_t>(channels)) {
      planes.data.push_back(picture.data[i]);
    }
  }
  return planes;
}

// The real numbers that pixels stand for: (value - offset) * scale, by channel, or their values.
Array real_numbers(const Array& pixels, const mdl_preprocessing& steps) {
  const bool channels_last = steps.layout != nullptr && std::string(steps.layout).ends_with('C');
  size_t plane = 1;  // elements from channel to channel
  for (size_t d = 2; !channels_last && d < pixels.shape.size(); ++d) {
    plane *= static_cast<size_t>(pixels.shape[d]);
  }
  std::vector<float> values = to_floats(pixels);
  for (size_t i = 0; steps.count > 0 && i < values.size(); ++i) {
    const size_t c = i / plane % steps.count;  // one for all, or one a channel
    values[i] = (values[i] - steps.offset[c]) * steps.scale[c];
  }
  Array made{MDL_FLOAT32, pixels.shape, std::vector<std::byte>(values.size() * sizeof(float))};
  if (!values.empty()) std::memcpy(made.data.data(), values.data(), made.data.size());
  return made;
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

std::optional<Array> preprocessed(const Array& array, const mdl_model* model, size_t index,
                                  const mdl_tensor_info& info) {
  const mdl_preprocessing steps = preprocessing_of(model, index);
  if (info.dtype != MDL_FLOAT32 || array.dtype != MDL_UINT8 || steps.count == 0) return {};
  return real_numbers(array, steps);
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
    array = read_csv(path, info);
    const Array full{MDL_FLOAT32, whole, {}};
    if (array.elements() == full.elements()) array.shape = whole;
  } else if (is_picture(path)) {
    const mdl_preprocessing steps = preprocessing_of(model, index);
    array = real_numbers(read_laid_out(path, steps, info), steps);
  } else if (ending == ".npz") {
    throw std::runtime_error(path + ": holds several arrays; numpy.save writes one, to a .npy");
  } else {
    array = {info.dtype, whole, read_bytes(path)};
    if (array.data.size() != info.bytes) {
      const bool raw = ending.empty() || ending == ".raw" || ending == ".bin";
      throw std::runtime_error(path + ": holds " + std::to_string(array.data.size()) + " bytes, '" +
                               info.name + "', which is " + mdl_dtype_name(info.dtype) + " " +
                               shape_text(info) + ", takes " + std::to_string(info.bytes) +
                               (raw ? ""
                                    : "; " + ending +
                                          " is taken for raw bytes: arrays are .npy or .csv, "
                                          "pictures .png, .jpg, .jpeg, .pgm or .ppm"));
    }
  }
  const std::optional<std::vector<int64_t>> shape = fitted_shape(array.shape, info);
  if (!shape) fail_shape(path, array.shape, info);
  array.shape = *shape;
  if (ending != ".npy") return array;
  std::optional<Array> pixels = preprocessed(array, model, index, info);
  return pixels ? std::move(*pixels) : array;
}

}  // namespace medulla::tools
