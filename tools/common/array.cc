// SPDX-License-Identifier: Apache-2.0
#include "tools/common/array.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tools/common/new_file.h"

namespace medulla::tools {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what);
}

float half_to_float(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  float value = 0;
  if (exponent == 31) {
    value = mantissa != 0 ? std::nanf("") : INFINITY;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    value = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

template <class T>
std::vector<float> convert(const Array& array) {
  std::vector<float> floats(array.elements());
  for (size_t i = 0; i < floats.size(); ++i) {
    T value;
    std::memcpy(&value, array.data.data() + i * sizeof(T), sizeof(T));
    floats[i] = static_cast<float>(value);
  }
  return floats;
}

}  // namespace

size_t Array::elements() const {
  size_t count = 1;
  for (int64_t d : shape) count *= static_cast<size_t>(d);
  return count;
}

std::vector<float> to_floats(const Array& array) {
  switch (array.dtype) {
    case MDL_BOOL:
    case MDL_UINT8:
      return convert<uint8_t>(array);
    case MDL_INT8:
      return convert<int8_t>(array);
    case MDL_INT16:
      return convert<int16_t>(array);
    case MDL_UINT16:
      return convert<uint16_t>(array);
    case MDL_INT32:
      return convert<int32_t>(array);
    case MDL_UINT32:
      return convert<uint32_t>(array);
    case MDL_INT64:
      return convert<int64_t>(array);
    case MDL_UINT64:
      return convert<uint64_t>(array);
    case MDL_FLOAT32:
      return convert<float>(array);
    case MDL_FLOAT64:
      return convert<double>(array);
    case MDL_FLOAT16: {
      std::vector<float> floats(array.elements());
      for (size_t i = 0; i < floats.size(); ++i) {
        uint16_t half;
        std::memcpy(&half, array.data.data() + 2 * i, 2);
        floats[i] = half_to_float(half);
      }
      return floats;
    }
    case MDL_BFLOAT16: {
      std::vector<float> floats(array.elements());
      for (size_t i = 0; i < floats.size(); ++i) {
        uint32_t bits = 0;
        std::memcpy(reinterpret_cast<std::byte*>(&bits) + 2, array.data.data() + 2 * i, 2);
        std::memcpy(&floats[i], &bits, 4);
      }
      return floats;
    }
    default:
      throw std::runtime_error(std::string("elements of dtype ") + mdl_dtype_name(array.dtype) +
                               " cannot be read as numbers");
  }
}

std::vector<std::byte> read_bytes(const std::string& path) {
  if (std::filesystem::is_directory(path)) fail(path, "is a directory, should be a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, std::string("cannot be opened: ") + std::strerror(errno));
  constexpr size_t kPart = size_t{1} << 20;
  std::vector<std::byte> bytes;
  for (size_t read = kPart; read == kPart;) {  // a pipe does not tell its size
    const size_t before = bytes.size();
    bytes.resize(before + kPart);
    in.read(reinterpret_cast<char*>(bytes.data() + before), kPart);
    read = static_cast<size_t>(in.gcount());
    bytes.resize(before + read);
  }
  if (in.bad()) fail(path, "cannot be read to its end");
  return bytes;
}

void write_bytes(const std::string& path, const std::vector<std::byte>& bytes) {
  NewFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace medulla::tools
