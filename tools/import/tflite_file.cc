// SPDX-License-Identifier: Apache-2.0
// The file: its tables, types, quantization and constants.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tools/common/shape_text.h"
#include "tools/import/tflite.h"
#include "tools/ir/view.h"

namespace medulla::tools {
namespace {

constexpr uint32_t kMaxDepth = 64;
constexpr uint32_t kMaxTables = 4'000'000;
// So that bits can be counted too.
constexpr int64_t kMaxElements = int64_t{1} << 56;

// Two int4 a byte, the lower half first, as int8.
Bytes unpacked(std::span<const std::byte> packed, size_t count) {
  Bytes values(count);
  for (size_t i = 0; i < count; ++i) {
    const int half = static_cast<int>(packed[i / 2]) >> (i % 2 * 4) & 15;
    values[i] = static_cast<std::byte>(half > 7 ? half - 16 : half);
  }
  return values;
}

}  // namespace

TfliteFile::TfliteFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) refuse("cannot be opened");
  file.seekg(0, std::ios::end);
  bytes_.resize(static_cast<size_t>(file.tellg()));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(bytes_.data()),
                 static_cast<std::streamsize>(bytes_.size()))) {
    refuse("cannot be read");
  }
  const auto* first = reinterpret_cast<const uint8_t*>(bytes_.data());
  // The tables of a larger file lie in front of its constants, which the verifier need not see.
  const size_t tables = std::min<size_t>(bytes_.size(), FLATBUFFERS_MAX_BUFFER_SIZE - 1);
  flatbuffers::Verifier verifier(first, tables, kMaxDepth, kMaxTables);
  if (bytes_.size() < 8 || !tflite::ModelBufferHasIdentifier(first)) {
    refuse("is not a TensorFlow Lite model", "give a .tflite file that the exporter wrote");
  }
  if (!tflite::VerifyModelBuffer(verifier)) {
    refuse("is damaged: its tables point outside the file", "fetch or export it again");
  }
  model_ = tflite::GetModel(first);
  constexpr uint32_t kVersion = 3;
  if (model_->version() != kVersion) {
    refuse("has schema version " + std::to_string(model_->version()), "export with version 3");
  }
}

std::span<const std::byte> TfliteFile::bytes_of(const tflite::Tensor& tensor) const {
  const auto* buffers = model_->buffers();
  if (tensor.buffer() == 0 && (buffers == nullptr || buffers->size() == 0)) return {};
  if (buffers == nullptr || tensor.buffer() >= buffers->size()) {
    refuse("buffer " + std::to_string(tensor.buffer()) + " of " +
           std::to_string(buffers == nullptr ? 0 : buffers->size()) + " holds its values");
  }
  const tflite::Buffer* buffer = buffers->Get(tensor.buffer());
  if (buffer->offset() > 1) {
    if (buffer->offset() > bytes_.size() || buffer->size() > bytes_.size() - buffer->offset()) {
      refuse("its values are " + std::to_string(buffer->size()) + " bytes from byte " +
             std::to_string(buffer->offset()) + " on, in a file of " +
             std::to_string(bytes_.size()));
    }
    return std::span(bytes_).subspan(buffer->offset(), buffer->size());
  }
  if (buffer->data() == nullptr) return {};
  return {reinterpret_cast<const std::byte*>(buffer->data()->data()), buffer->data()->size()};
}

mdl_dtype tflite_dtype(tflite::TensorType type) {
  using T = tflite::TensorType;
  switch (type) {
    case T::FLOAT32:
      return MDL_FLOAT32;
    case T::FLOAT16:
      return MDL_FLOAT16;
    case T::BFLOAT16:
      return MDL_BFLOAT16;
    case T::FLOAT64:
      return MDL_FLOAT64;
    case T::INT4:  // of constants alone, which are unpacked
    case T::INT8:
      return MDL_INT8;
    case T::UINT8:
      return MDL_UINT8;
    case T::INT16:
      return MDL_INT16;
    case T::UINT16:
      return MDL_UINT16;
    case T::INT32:
      return MDL_INT32;
    case T::UINT32:
      return MDL_UINT32;
    case T::INT64:
      return MDL_INT64;
    case T::UINT64:
      return MDL_UINT64;
    case T::BOOL:
      return MDL_BOOL;
    default:
      refuse(std::string("dtype ") + tflite::EnumNameTensorType(type) + " is not taken");
  }
}

bool is_quantized(const tflite::Tensor& tensor) {
  const auto* q = tensor.quantization();
  return q != nullptr && q->scale() != nullptr && q->scale()->size() > 0 &&
         tensor.type() != tflite::TensorType::FLOAT32;
}

std::pair<int64_t, int64_t> zero_point_range(tflite::TensorType type) {
  switch (type) {
    case tflite::TensorType::INT8:
      return {INT8_MIN, INT8_MAX};
    case tflite::TensorType::UINT8:
      return {0, UINT8_MAX};
    case tflite::TensorType::INT16:
      return {INT16_MIN, INT16_MAX};
    default:
      return {INT32_MIN, INT32_MAX};
  }
}

Quantization quantization_of(const tflite::Tensor& tensor) {
  const tflite::Quantization& q = *tensor.quantization();
  const size_t count = q.scale()->size();
  if (q.zero_point() == nullptr) refuse("has a scale and no zero point", "export the model again");
  if (q.zero_point()->size() != count) {
    refuse("has " + std::to_string(count) + " scales and " +
               std::to_string(q.zero_point()->size()) + " zero points, should have one for each",
           "export the model again");
  }
  const bool shifted = tensor.type() == tflite::TensorType::UINT8;
  const auto [least, most] = zero_point_range(tensor.type());
  Quantization result;
  for (uint32_t i = 0; i < count; ++i) {
    const float scale = q.scale()->Get(i);
    int64_t zero_point;  // some files keep them at multiples of 4 alone
    std::memcpy(&zero_point, q.zero_point()->Data() + i * sizeof(zero_point), sizeof(zero_point));
    if (!(std::isnormal(scale) && scale > 0)) {
      refuse("scale " + std::to_string(i) + " is " + number_text(static_cast<double>(scale)) +
             ", should be above 0, finite and normal");
    }
    if (zero_point < least || zero_point > most) {
      refuse("zero point " + std::to_string(i) + " is " + std::to_string(zero_point) +
             ", should be from " + std::to_string(least) + " to " + std::to_string(most));
    }
    result.scales.push_back(scale);
    result.zero_points.push_back(static_cast<int32_t>(shifted ? zero_point - 128 : zero_point));
  }
  // One scale is the tensor's, whatever dimension is written beside it.
  if (count > 1) {
    const Dims shape =
        tensor.shape() == nullptr ? Dims() : Dims(tensor.shape()->begin(), tensor.shape()->end());
    const auto rank = static_cast<int32_t>(shape.size());
    // Biases may name the dimension of the weights; a vector has but one.
    result.axis = rank == 1 ? 0 : q.dimension();
    if (result.axis < 0 || result.axis >= rank ||
        static_cast<size_t>(shape[static_cast<size_t>(result.axis)]) != count) {
      refuse(std::to_string(count) + " scales do not fit dimension " +
                 std::to_string(q.dimension()) + " of " + shape_text(shape),
             "export the model again");
    }
  }
  return result;
}

const tflite::Tensor& TfliteScope::tensor(int32_t id) const {
  return *subgraph.tensors()->Get(static_cast<uint32_t>(id));
}

std::string TfliteScope::name_of(int32_t id) const {
  const auto* name = tensor(id).name();
  return name == nullptr || name->size() == 0 ? "tensor " + std::to_string(id) : name->str();
}

Tensor TfliteScope::declared(int32_t id) const {
  const tflite::Tensor& from = tensor(id);
  Tensor result;
  result.name = name_of(id);
  result.dtype = tflite_dtype(from.type());
  if (is_quantized(from)) {
    result.quantization = quantization_of(from);
    if (result.dtype == MDL_UINT8) result.dtype = MDL_INT8;
  }
  if (from.shape() != nullptr) {
    if (from.shape()->size() > MDL_MAX_RANK) {
      refuse("has rank " + std::to_string(from.shape()->size()) + ", should be at most " +
             std::to_string(MDL_MAX_RANK));
    }
    int64_t elements = 1;
    for (const int32_t d : *from.shape()) {
      if (d < 0 || elements > kMaxElements / std::max(d, 1)) {
        refuse("dimension " + std::to_string(result.dims.size()) + " is " + std::to_string(d) +
               ", which no tensor can have");
      }
      elements *= std::max(d, 1);
      result.dims.push_back(d);
    }
  }
  return result;
}

int32_t TfliteScope::result(int32_t id) {
  const TfliteValue& value = values[static_cast<size_t>(id)];
  if (value.stored >= 0) return value.stored;
  const Tensor constant = constant_of(*this, id);
  if (constant.data->empty()) refuse("'" + name_of(id) + "' is made by nothing");
  return build.add_tensor(constant);
}

Tensor constant_of(const TfliteScope& scope, int32_t id) {
  const tflite::Tensor& from = scope.tensor(id);
  Tensor result = scope.declared(id);
  if (from.sparsity() != nullptr) refuse("is sparse", "store the weights dense");
  const auto bytes = scope.file.bytes_of(from);
  const bool packed = from.type() == tflite::TensorType::INT4;
  // Bounded by the file's size before anything is multiplied.
  size_t count = 1;
  for (const int64_t d : result.dims) {
    if (d != 0 && count > 2 * bytes.size() / static_cast<size_t>(d)) {
      refuse("has " + std::to_string(bytes.size()) + " bytes, too few for its shape " +
                 shape_text(result.dims) + " of " + mdl_dtype_name(result.dtype),
             "export the model again");
    }
    count *= static_cast<size_t>(d);
  }
  const size_t size = packed ? (count + 1) / 2 : tensor_bytes(result.dtype, result.dims);
  if (size != bytes.size()) {
    refuse("has " + std::to_string(bytes.size()) + " bytes, should have " + std::to_string(size));
  }
  Bytes values = packed ? unpacked(bytes, count) : Bytes(bytes.begin(), bytes.end());
  if (from.type() == tflite::TensorType::UINT8 && result.quantization) {
    for (std::byte& b : values) b ^= std::byte{0x80};
  }
  result.data = std::make_shared<const Bytes>(std::move(values));
  return result;
}

}  // namespace medulla::tools
