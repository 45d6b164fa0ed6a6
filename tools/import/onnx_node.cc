// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <fstream>

#include "src/ops/number.h"
#include "tools/import/onnx.h"

namespace medulla::tools {
namespace {

// Where the elements of a tensor lie, in ONNX's raw form.
std::string raw_bytes(const onnx::TensorProto& proto, const std::string& folder) {
  if (proto.data_location() != onnx::TensorProto::EXTERNAL) return proto.raw_data();
  std::string location;
  std::streamoff offset = 0;
  int64_t length = -1;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = std::stoll(entry.value());
    if (entry.key() == "length") length = std::stoll(entry.value());
  }
  const std::filesystem::path relative(location);
  if (location.empty() || relative.is_absolute() || location.find("..") != std::string::npos) {
    refuse("external data of '" + proto.name() + "' lies at '" + location +
           "', which is not a path below the model's folder");
  }
  const auto path = std::filesystem::path(folder) / relative;
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse("external data file " + path.string() + " cannot be opened");
  file.seekg(0, std::ios::end);
  const int64_t size = file.tellg();
  if (length < 0) length = size - offset;
  if (offset < 0 || length < 0 || offset > size || length > size - offset) {
    refuse("external data file " + path.string() + " has " + std::to_string(size) +
           " bytes; tensor '" + proto.name() + "' needs " + std::to_string(length) + " from " +
           std::to_string(offset));
  }
  std::string bytes(static_cast<size_t>(length), 0);
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
    default:
      refuse("ONNX element type " + std::to_string(type) + " is not one of Medulla's",
             "export the model with float32 tensors");
  }
}

int32_t add_onnx_constant(Builder& build, const onnx::TensorProto& proto,
                          const std::string& folder) {
  Tensor tensor;
  tensor.name = proto.name().empty() ? build.name() + ".constant" : proto.name();
  tensor.dtype = onnx_dtype(proto.data_type());
  tensor.dims.assign(proto.dims().begin(), proto.dims().end());
  const std::string raw = raw_bytes(proto, folder);
  Bytes bytes;
  if (raw.empty()) {
    bytes = typed_bytes(proto, tensor.dtype);
  } else {
    const auto* first = reinterpret_cast<const std::byte*>(raw.data());
    bytes.assign(first, first + raw.size());
  }
  const size_t needed = tensor.elements() * mdl_dtype_bits(tensor.dtype) / 8;
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

int64_t OnnxNode::int_or(const std::string& name, int64_t otherwise) const {
  const auto* a = attribute(name);
  return a ? a->i() : otherwise;
}

double OnnxNode::float_or(const std::string& name, double otherwise) const {
  const auto* a = attribute(name);
  return a ? static_cast<double>(a->f()) : otherwise;
}

std::string OnnxNode::string_or(const std::string& name, const std::string& otherwise) const {
  const auto* a = attribute(name);
  return a ? a->s() : otherwise;
}

Dims OnnxNode::ints(const std::string& name) const {
  const auto* a = attribute(name);
  return a ? Dims(a->ints().begin(), a->ints().end()) : Dims();
}

std::vector<double> OnnxNode::floats(const std::string& name) const {
  const auto* a = attribute(name);
  return a ? std::vector<double>(a->floats().begin(), a->floats().end()) : std::vector<double>();
}

std::vector<std::string> OnnxNode::strings(const std::string& name) const {
  const auto* a = attribute(name);
  return a ? std::vector<std::string>(a->strings().begin(), a->strings().end())
           : std::vector<std::string>();
}

Dims OnnxNode::constant_ints(size_t i, const char* what) const {
  const Tensor& t = build.tensor(input(i));
  if (!t.data) {
    refuse(std::string(what) + " is computed at run time; Medulla plans shapes before",
           "make the input dimensions static (--max NAME=1 or an extent), or export " +
               std::string(what) + " as a constant");
  }
  if (t.dtype == MDL_INT64) return values_of<int64_t>(t);
  if (t.dtype != MDL_INT32) {
    refuse(std::string(what) + " has dtype " + mdl_dtype_name(t.dtype) + ", should be int64");
  }
  const auto narrow = values_of<int32_t>(t);
  return {narrow.begin(), narrow.end()};
}

std::vector<double> OnnxNode::constant_floats(size_t i, const char* what) const {
  const Tensor& t = build.tensor(input(i));
  if (!t.data) refuse(std::string(what) + " is not a constant", "export it as an initializer");
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
    refuse(std::string(why) + " needs a static shape", "give its dimensions with --max NAME=1");
  }
}

}  // namespace medulla::tools
