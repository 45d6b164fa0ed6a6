// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "src/base/checked.h"
#include "src/ops/number.h"
#include "tools/import/dimensions.h"
#include "tools/import/onnx.h"

namespace medulla::tools {
namespace {

int64_t number_of(const onnx::StringStringEntryProto& entry) {
  char* end = nullptr;
  errno = 0;
  const int64_t value = std::strtoll(entry.value().c_str(), &end, 10);
  if (entry.value().empty() || *end != 0 || errno != 0 || value < 0) {
    refuse("external data's " + entry.key() + " is '" + entry.value() + "', should be a number");
  }
  return value;
}

// Whether the path, links followed, leads out of the folder.
bool escapes(const std::filesystem::path& folder, const std::filesystem::path& path) {
  const auto root = std::filesystem::weakly_canonical(folder.empty() ? "." : folder);
  const auto target = std::filesystem::weakly_canonical(root / path);
  const auto relative = target.lexically_relative(root);
  return path.is_absolute() || relative.empty() || *relative.begin() == "..";
}

// Elements that lie in a file of their own: `needed` bytes, which are there before any is read.
std::string external_bytes(const onnx::TensorProto& proto, const std::string& folder,
                           size_t needed) {
  std::string location;
  int64_t offset = 0;
  auto length = static_cast<int64_t>(needed);
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = number_of(entry);
    if (entry.key() == "length") length = number_of(entry);
  }
  const std::string what = "external data of '" + proto.name() + "'";
  if (location.empty() || location.find('\0') != std::string::npos || escapes(folder, location)) {
    refuse(what + " lies at '" + location + "', which is not a path below the model's folder",
           "keep the file beside the model, and no link to it");
  }
  if (length != static_cast<int64_t>(needed)) {
    refuse(what + " has " + std::to_string(length) + " bytes, its shape needs " +
           std::to_string(needed));
  }
  const auto path = std::filesystem::path(folder) / location;
  std::error_code error;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path, error));
  const bool regular = !error && std::filesystem::is_regular_file(path, error);
  std::ifstream file;
  if (regular) file.open(path, std::ios::binary);  // a pipe would wait for its other end
  if (error || !file.is_open()) refuse("external data file " + path.string() + " cannot be opened");
  if (offset > size || length > size - offset) {
    refuse("external data file " + path.string() + " has " + std::to_string(size) +
           " bytes; tensor '" + proto.name() + "' needs " + std::to_string(length) + " from " +
           std::to_string(offset));
  }
  std::string bytes(needed, 0);
  file.seekg(offset);
  file.read(bytes.data(), length);
  return bytes;
}

template <class T, class Field>
Bytes from_field(const Field& field) {
  std::vector<T> values;
  for (const auto v : field) values.push_back(static_cast<T>(v));
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Bytes typed_bytes(const onnx::TensorProto& proto, mdl_dtype dtype) {
  switch (dtype) {
    case MDL_FLOAT32:
      return from_field<float>(proto.float_data());
    case MDL_FLOAT64:
      return from_field<double>(proto.double_data());
    case MDL_INT64:
      return from_field<int64_t>(proto.int64_data());
    case MDL_UINT64:
      return from_field<uint64_t>(proto.uint64_data());
    case MDL_UINT32:
      return from_field<uint32_t>(proto.uint64_data());
    case MDL_INT32:
      return from_field<int32_t>(proto.int32_data());
    case MDL_INT16:
    case MDL_UINT16:
    case MDL_FLOAT16:
    case MDL_BFLOAT16:
      return from_field<uint16_t>(proto.int32_data());
    default:
      return from_field<uint8_t>(proto.int32_data());
  }
}

}  // namespace

mdl_dtype onnx_dtype(int32_t type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return MDL_FLOAT32;
    case onnx::TensorProto::UINT8:
      return MDL_UINT8;
    case onnx::TensorProto::INT8:
      return MDL_INT8;
    case onnx::TensorProto::UINT16:
      return MDL_UINT16;
    case onnx::TensorProto::INT16:
      return MDL_INT16;
    case onnx::TensorProto::INT32:
      return MDL_INT32;
    case onnx::TensorProto::INT64:
      return MDL_INT64;
    case onnx::TensorProto::BOOL:
      return MDL_BOOL;
    case onnx::TensorProto::FLOAT16:
      return MDL_FLOAT16;
    case onnx::TensorProto::DOUBLE:
      return MDL_FLOAT64;
    case onnx::TensorProto::UINT32:
      return MDL_UINT32;
    case onnx::TensorProto::UINT64:
      return MDL_UINT64;
    case onnx::TensorProto::BFLOAT16:
      return MDL_BFLOAT16;
    case onnx::TensorProto::STRING:
      refuse("its element type is string, and tensors hold numbers here",
             "turn text into numbers before the model");
    default:
      refuse(
          "element type " +
              (onnx::TensorProto_DataType_IsValid(type)
                   ? onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type))
                   : std::to_string(type)) +
              " of ONNX is not one of Medulla's",
          "export the model with float32 tensors");
  }
}

size_t require_size(mdl_dtype dtype, const Dims& dims) {
  // Sums of offsets stay far from the end of int64.
  constexpr int64_t kMost = int64_t{1} << 48;
  int64_t bytes = mdl_dtype_bits(dtype) / 8;
  std::string text;
  bool fits = true;
  if (dims.size() > MDL_MAX_RANK) {
    refuse("has rank " + std::to_string(dims.size()) + ", at most " + std::to_string(MDL_MAX_RANK) +
           " is possible");
  }
  for (const int64_t d : dims) {
    text += (text.empty() ? "" : ",") + std::to_string(d);
    fits = fits && d >= 0 && checked_mul(bytes, std::max<int64_t>(d, 1), &bytes) && bytes <= kMost;
  }
  if (std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d < 0; })) {
    refuse("shape [" + text + "] has an extent below 0", "export the model anew");
  }
  if (!fits) refuse("shape [" + text + "] of " + mdl_dtype_name(dtype) + " fits into no memory");
  return std::find(dims.begin(), dims.end(), 0) == dims.end() ? static_cast<size_t>(bytes) : 0;
}

int32_t add_onnx_constant(Builder& build, const onnx::TensorProto& proto,
                          const std::string& folder) {
  Tensor tensor;
  tensor.name = proto.name().empty() ? build.name() + ".constant" : proto.name();
  tensor.dtype = onnx_dtype(proto.data_type());
  tensor.dims.assign(proto.dims().begin(), proto.dims().end());
  const size_t needed = require_size(tensor.dtype, tensor.dims);
  const bool external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  Bytes bytes;
  if (external || !proto.raw_data().empty()) {
    const std::string raw = external ? external_bytes(proto, folder, needed) : proto.raw_data();
    const auto* first = reinterpret_cast<const std::byte*>(raw.data());
    bytes.assign(first, first + raw.size());
  } else {
    bytes = typed_bytes(proto, tensor.dtype);
  }
  if (bytes.size() != needed) {
    refuse("constant '" + tensor.name + "' has " + std::to_string(bytes.size()) +
           " bytes, its shape needs " + std::to_string(needed));
  }
  tensor.data = std::make_shared<const Bytes>(std::move(bytes));
  return build.add_tensor(std::move(tensor));
}

std::vector<bool> OnnxNode::wanted_outputs() const {
  std::vector<bool> wanted;
  for (int i = 0; i < proto.output_size(); ++i) wanted.push_back(has_output(i));
  return wanted;
}

const onnx::AttributeProto* OnnxNode::attribute(const std::string& name) const {
  for (const auto& a : proto.attribute()) {
    if (a.name() == name) return &a;
  }
  return nullptr;
}

const onnx::AttributeProto* OnnxNode::attribute(const std::string& name, int type) const {
  const auto* a = attribute(name);
  if (a != nullptr && a->type() != type) {
    using Type = onnx::AttributeProto_AttributeType;
    refuse("has type " + AttributeProto_AttributeType_Name(a->type()) + ", should be " +
               AttributeProto_AttributeType_Name(static_cast<Type>(type)),
           "", name);
  }
  return a;
}

int64_t OnnxNode::int_or(const std::string& name, int64_t otherwise) const {
  const auto* a = attribute(name, onnx::AttributeProto::INT);
  return a ? a->i() : otherwise;
}

double OnnxNode::float_or(const std::string& name, double otherwise) const {
  const auto* a = attribute(name, onnx::AttributeProto::FLOAT);
  return a ? static_cast<double>(a->f()) : otherwise;
}

std::string OnnxNode::string_or(const std::string& name, const std::string& otherwise) const {
  const auto* a = attribute(name, onnx::AttributeProto::STRING);
  return a ? a->s() : otherwise;
}

Dims OnnxNode::ints(const std::string& name) const {
  const auto* a = attribute(name, onnx::AttributeProto::INTS);
  return a ? Dims(a->ints().begin(), a->ints().end()) : Dims();
}

std::vector<double> OnnxNode::floats(const std::string& name) const {
  const auto* a = attribute(name, onnx::AttributeProto::FLOATS);
  return a ? std::vector<double>(a->floats().begin(), a->floats().end()) : std::vector<double>();
}

std::vector<std::string> OnnxNode::strings(const std::string& name) const {
  const auto* a = attribute(name, onnx::AttributeProto::STRINGS);
  return a ? std::vector<std::string>(a->strings().begin(), a->strings().end())
           : std::vector<std::string>();
}

const Tensor& OnnxNode::parameter(size_t i, const char* what) const {
  if (input(i) < 0) refuse(std::string(what) + " is missing");
  const Tensor& t = build.tensor(input(i));
  if (!t.data) {
    throw Refused{"", std::string(what) + " is computed at run time; Medulla plans before",
                  "make the input dimensions static (--fix-dim NAME=N), or export " +
                      std::string(what) + " as a constant",
                  input(i)};
  }
  return t;
}

Dims OnnxNode::constant_ints(size_t i, const char* what) const {
  const Tensor& t = parameter(i, what);
  if (t.dtype == MDL_INT64) return values_of<int64_t>(t);
  if (t.dtype != MDL_INT32) {
    refuse(std::string(what) + " has dtype " + mdl_dtype_name(t.dtype) + ", should be int64");
  }
  const auto narrow = values_of<int32_t>(t);
  return {narrow.begin(), narrow.end()};
}

std::vector<double> OnnxNode::constant_floats(size_t i, const char* what) const {
  const Tensor& t = parameter(i, what);
  std::vector<double> values(t.elements());
  for (size_t v = 0; v < values.size(); ++v) {
    load_number(t.dtype, t.data->data(), static_cast<int64_t>(v),
                [&](auto number) { values[v] = static_cast<double>(number); });
  }
  return values;
}

Dims OnnxNode::ints_by_opset(const char* name, size_t i, int64_t since) const {
  if (opset < since) return ints(name);
  return input(i) < 0 ? Dims() : constant_ints(i, name);
}

int64_t OnnxNode::axis(int64_t value, int64_t rank) const {
  if (value < -rank || value >= std::max<int64_t>(rank, 1)) {
    refuse("axis " + std::to_string(value) + " of a tensor of rank " + std::to_string(rank));
  }
  return value < 0 ? value + rank : value;
}

Dims OnnxNode::axes(Dims values, int64_t rank) const {
  for (int64_t& a : values) a = axis(a, rank);
  return values;
}

void OnnxNode::require_static(int32_t tensor, const char* why) const {
  if (!build.is_static(tensor)) {
    refuse(std::string(why) + " needs a static shape", fix_dim_text(build.tensor(tensor).symbols));
  }
}

}  // namespace medulla::tools
