// SPDX-License-Identifier: Apache-2.0
#include "tools/common/array.h"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <stdexcept>

namespace medulla::tools {
namespace {

struct NpyType {
  const char* code;
  mdl_dtype dtype;
};
constexpr NpyType kNpyTypes[] = {
    {"|b1", MDL_BOOL},   {"|i1", MDL_INT8},    {"|u1", MDL_UINT8},   {"<i2", MDL_INT16},
    {"<u2", MDL_UINT16}, {"<i4", MDL_INT32},   {"<u4", MDL_UINT32},  {"<i8", MDL_INT64},
    {"<u8", MDL_UINT64}, {"<f2", MDL_FLOAT16}, {"<f4", MDL_FLOAT32}, {"<f8", MDL_FLOAT64},
};

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

std::vector<int64_t> parse_shape(const std::string& path, const std::string& text) {
  std::vector<int64_t> shape;
  for (size_t at = 0; at < text.size();) {
    if (text[at] < '0' || text[at] > '9') {
      ++at;
      continue;
    }
    size_t used = 0;
    shape.push_back(std::stoll(text.substr(at), &used));
    at += used;
    if (shape.back() < 0 || shape.back() > (int64_t{1} << 40)) fail(path, "has an absurd shape");
  }
  return shape;
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
    default:
      throw std::runtime_error(std::string("elements of dtype ") + mdl_dtype_name(array.dtype) +
                               " cannot be read as numbers");
  }
}

std::vector<std::byte> read_bytes(const std::string& path) {
  if (std::filesystem::is_directory(path)) fail(path, "is a directory, should be a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, std::string("cannot be opened: ") + std::strerror(errno));
  in.seekg(0, std::ios::end);
  std::vector<std::byte> bytes(static_cast<size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) fail(path, "cannot be read to its end");
  return bytes;
}

void write_bytes(const std::string& path, const std::vector<std::byte>& bytes) {
  const std::string part = path + ".part" + std::to_string(getpid());
  std::ofstream out(part, std::ios::binary);
  if (!out) fail(path, std::string("cannot be written: ") + std::strerror(errno));
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code code;
  if (out) std::filesystem::rename(part, path, code);
  if (!out || code) {
    std::filesystem::remove(part, code);
    fail(path, "cannot be written to its end (disk full?)");
  }
}

Array read_npy(const std::string& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
  if (bytes.size() < 10 || std::memcmp(raw, "\x93NUMPY", 6) != 0 || raw[6] < 1 || raw[6] > 3) {
    fail(path, "is not a .npy file of version 1 to 3");
  }
  const size_t prefix = raw[6] == 1 ? 10 : 12;
  if (bytes.size() < prefix) fail(path, "is cut within its header");
  size_t length = raw[8] | static_cast<size_t>(raw[9]) << 8;
  if (prefix == 12)
    length |= static_cast<size_t>(raw[10]) << 16 | static_cast<size_t>(raw[11]) << 24;
  if (bytes.size() - prefix < length) fail(path, "is cut within its header");
  const std::string header(reinterpret_cast<const char*>(raw + prefix), length);

  static const std::regex kDescr("'descr': *'([^']*)'");
  static const std::regex kOrder("'fortran_order': *(True|False)");
  static const std::regex kShape("'shape': *\\(([^)]*)\\)");
  std::smatch descr;
  std::smatch order;
  std::smatch shape;
  if (!std::regex_search(header, descr, kDescr) || !std::regex_search(header, order, kOrder) ||
      !std::regex_search(header, shape, kShape)) {
    fail(path, "has a header that cannot be read: " + header);
  }
  if (order[1] == "True") fail(path, "is in Fortran order, should be in C order");
  Array array;
  for (const NpyType& type : kNpyTypes) {
    if (descr[1] == type.code) array.dtype = type.dtype;
  }
  if (array.dtype == MDL_DTYPE_NONE) {
    fail(path, "has dtype '" + descr[1].str() + "', should be bool, an integer or a float");
  }
  array.shape = parse_shape(path, shape[1]);
  const size_t size = array.elements() * mdl_dtype_bits(array.dtype) / 8;
  if (bytes.size() - prefix - length != size) {
    fail(path, "holds " + std::to_string(bytes.size() - prefix - length) +
                   " bytes of data, its shape asks for " + std::to_string(size));
  }
  array.data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(prefix + length), bytes.end());
  return array;
}

void write_npy(const std::string& path, const Array& array) {
  std::string code;
  for (const NpyType& type : kNpyTypes) {
    if (array.dtype == type.dtype) code = type.code;
  }
  if (code.empty()) {
    fail(path, std::string("cannot hold dtype ") + mdl_dtype_name(array.dtype));
  }
  std::string shape;
  for (int64_t d : array.shape) shape += std::to_string(d) + ", ";
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  std::string header =
      "{'descr': '" + code + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string text = "\x93NUMPY";
  text += '\x01';
  text += '\0';
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  std::vector<std::byte> bytes(first, first + text.size());
  bytes.insert(bytes.end(), array.data.begin(), array.data.end());
  write_bytes(path, bytes);
}

}  // namespace medulla::tools
