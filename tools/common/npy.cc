// SPDX-License-Identifier: Apache-2.0
// .npy: a magic, a version, the length of a header, the header (a Python dict), the data.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "tools/common/array.h"

static_assert(std::endian::native == std::endian::little, "data is read as it lies in the file");

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

// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, with the keys in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;

  // False when the text is anything else.
  bool parse() {
    if (!take("{")) return false;
    while (!take("}")) {
      if (!parse_item()) return false;
      if (!take(",") && !at('}')) return false;
    }
    skip_blanks();
    return rest_.empty() && descr && fortran_order && shape;
  }

 private:
  bool parse_item() {
    const std::optional<std::string_view> key = parse_string();
    if (!key || !take(":")) return false;
    if (*key == "descr") {
      descr = parse_string();
      return descr.has_value();
    }
    if (*key == "fortran_order") {
      fortran_order = take("True");
      return *fortran_order || take("False");
    }
    return *key == "shape" && parse_shape();
  }

  bool parse_shape() {
    if (!take("(")) return false;
    shape.emplace();
    while (!take(")")) {
      skip_blanks();
      int64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc() || extent < 0) return false;
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      shape->push_back(extent);
      if (!take(",") && !at(')')) return false;
    }
    return true;
  }

  std::optional<std::string_view> parse_string() {
    if (!take("'")) return std::nullopt;
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  bool at(char c) {
    skip_blanks();
    return rest_.starts_with(c);
  }

  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size()));
  }

  std::string_view rest_;
};

// Bytes of a dense array; nothing when they are more than a file could hold.
std::optional<size_t> bytes_of(const Array& array) {
  size_t bytes = mdl_dtype_bits(array.dtype) / 8;
  for (int64_t extent : array.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(extent), &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace

Array read_npy(const std::string& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
  if (bytes.size() < 10 || std::memcmp(raw, "\x93NUMPY", 6) != 0 || raw[6] < 1 || raw[6] > 3) {
    fail(path, "is not a .npy file of version 1 to 3; write it with numpy.save");
  }
  const size_t prefix = raw[6] == 1 ? 10 : 12;
  if (bytes.size() < prefix) fail(path, "is cut within its header");
  size_t length = raw[8] | static_cast<size_t>(raw[9]) << 8;
  if (prefix == 12) {
    length |= static_cast<size_t>(raw[10]) << 16 | static_cast<size_t>(raw[11]) << 24;
  }
  if (bytes.size() - prefix < length) fail(path, "is cut within its header");

  HeaderParser header({reinterpret_cast<const char*>(raw + prefix), length});
  if (!header.parse()) {
    fail(path, "has a header that does not describe one array of plain numbers");
  }
  if (*header.fortran_order) fail(path, "is in Fortran order, should be in C order");
  Array array;
  for (const NpyType& type : kNpyTypes) {
    if (*header.descr == type.code) array.dtype = type.dtype;
  }
  if (array.dtype == MDL_DTYPE_NONE) {
    fail(path, "has dtype '" + std::string(*header.descr) +
                   "', should be bool, an integer or a float, little-endian");
  }
  array.shape = std::move(*header.shape);
  const std::optional<size_t> size = bytes_of(array);
  const size_t held = bytes.size() - prefix - length;
  if (size != held) {
    fail(path, "holds " + std::to_string(held) + " bytes of data, its shape asks for " +
                   (size ? std::to_string(*size) : "more than 2^64"));
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
  for (int64_t extent : array.shape) shape += std::to_string(extent) + ", ";
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
