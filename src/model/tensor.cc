// SPDX-License-Identifier: Apache-2.0
// Tensors: name, dtype, shape, quantization, constant.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/base/checked.h"
#include "src/model/loader.h"

namespace medulla {
namespace {

template <class... Parts>
mdl_status fail_tensor(mdl_error* error, const mdl_tensor& tensor, const Parts&... parts) {
  return fail(error, MDL_ERROR_BAD_MODEL, "tensor '", tensor.name, "': ", parts...);
}

mdl_status decode_shape(const format::Tensor& from, const Limits& limits, mdl_tensor* tensor,
                        mdl_error* error) {
  const auto* dims = from.dims();
  const auto* symbols = from.symbols();
  if (!is_aligned(dims)) {
    return fail_tensor(error, *tensor, "its dims are not aligned to ", sizeof(int64_t));
  }
  tensor->rank = size_of(dims);
  if (tensor->rank > MDL_MAX_RANK) {
    return fail_tensor(error, *tensor, "rank is ", tensor->rank, ", should be at most ",
                       MDL_MAX_RANK);
  }
  if (tensor->rank > limits.rank) {
    return fail(error, MDL_ERROR_LIMIT, "tensor '", tensor->name, "': rank is ", tensor->rank,
                ", the limit is ", limits.rank);
  }
  if (size_of(symbols) != 0 && size_of(symbols) != tensor->rank) {
    return fail_tensor(error, *tensor, "has ", size_of(symbols), " symbols, should have 0 or ",
                       tensor->rank, ", one a dimension");
  }
  int64_t bits = mdl_dtype_bits(tensor->dtype);
  bool empty = false;
  for (uint32_t d = 0; d < tensor->rank; ++d) {
    tensor->dims[d] = dims->Get(d);
    if (tensor->dims[d] < 0) {
      return fail_tensor(error, *tensor, "dimension ", d, " is ", tensor->dims[d],
                         ", should be at least 0");
    }
    empty = empty || tensor->dims[d] == 0;
    // A dimension of 0 must not hide that the others overflow: rules multiply some of them.
    if (!checked_mul(bits, std::max<int64_t>(tensor->dims[d], 1), &bits)) {
      return fail_tensor(error, *tensor, "its shape overflows at dimension ", d, " of ",
                         tensor->dims[d]);
    }
    if (size_of(symbols) == 0) continue;
    MDL_TRY(check_text(symbols->Get(d), error, "tensor '", tensor->name, "': symbol ", d));
    if (symbols->Get(d)->size() > 0) tensor->symbols[d] = symbols->Get(d)->c_str();
  }
  const uint64_t bytes = static_cast<uint64_t>(bits) / 8 + (bits % 8 != 0 ? 1 : 0);
  if (bytes > limits.tensor_bytes || bytes > SIZE_MAX / 4) {
    return fail(error, MDL_ERROR_LIMIT, "tensor '", tensor->name, "': takes ", bytes,
                " bytes, the limit is ",
                limits.tensor_bytes < SIZE_MAX / 4 ? limits.tensor_bytes : SIZE_MAX / 4);
  }
  tensor->bytes = empty ? 0 : static_cast<size_t>(bytes);
  return MDL_OK;
}

// The zero points that a dtype can have; none for a dtype that is not quantized.
bool zero_point_range(mdl_dtype dtype, int64_t* low, int64_t* high) {
  const int64_t steps = int64_t{1} << mdl_dtype_bits(dtype) % 64;
  switch (dtype) {
    case MDL_INT4:
    case MDL_INT8:
    case MDL_INT16:
    case MDL_INT32:
      *low = -steps / 2;
      *high = steps / 2 - 1;
      return true;
    case MDL_UINT4:
    case MDL_UINT8:
    case MDL_UINT16:
      *low = 0;
      *high = steps - 1;
      return true;
    default:
      return false;
  }
}

mdl_status decode_quantization(const format::Quantization& from, mdl_tensor* tensor,
                               mdl_error* error) {
  const uint32_t count = size_of(from.scales());
  int64_t low = 0;
  int64_t high = 0;
  if (!zero_point_range(tensor->dtype, &low, &high)) {
    return fail_tensor(error, *tensor, "is ", mdl_dtype_name(tensor->dtype),
                       " and has a quantization, which integers of 4 to 32 bits have");
  }
  const int32_t axis = from.axis();
  if (axis < 0 || (axis > 0 && static_cast<uint32_t>(axis) >= tensor->rank)) {
    return fail_tensor(error, *tensor, "quantization axis is ", axis, ", should be from 0 to ",
                       tensor->rank > 0 ? tensor->rank - 1 : 0);
  }
  const int64_t channels = tensor->rank == 0 ? 1 : tensor->dims[axis];
  const bool dynamic = tensor->rank > 0 && tensor->symbols[axis] != nullptr;
  if (count != 1 && dynamic) {
    return fail_tensor(error, *tensor, "has ", count, " scales along dimension ", axis,
                       ", which is dynamic; should have 1");
  }
  if (count != 1 && (count == 0 || count != channels)) {
    return fail_tensor(error, *tensor, "has ", count, " scales, should have 1, or ", channels,
                       ", one for each index along dimension ", axis);
  }
  if (size_of(from.zero_points()) != count) {
    return fail_tensor(error, *tensor, "has ", size_of(from.zero_points()),
                       " zero points, should have ", count, ", one a scale");
  }
  for (uint32_t c = 0; c < count; ++c) {
    const float scale = from.scales()->Get(c);
    const int32_t zero_point = from.zero_points()->Get(c);
    if (!std::isnormal(scale) || scale < 0) {
      return fail_tensor(error, *tensor, "scale ", c, " is ", static_cast<double>(scale),
                         ", should be above 0, finite and normal");
    }
    if (zero_point < low || zero_point > high) {
      return fail_tensor(error, *tensor, "zero point ", c, " is ", zero_point, ", should be from ",
                         low, " to ", high);
    }
  }
  tensor->quantization = {count, from.scales()->data(), from.zero_points()->data(), axis};
  return MDL_OK;
}

}  // namespace

mdl_status find_buffer(const GraphContext& context, uint32_t number, const mdl_tensor& tensor,
                       const char* what, const void** data, mdl_error* error) {
  *data = nullptr;
  if (number == 0) return MDL_OK;
  const auto* buffers = context.header->buffers();
  if (number > size_of(buffers)) {
    return fail_tensor(error, tensor, what, " is buffer ", number, " (from 1), the file has ",
                       size_of(buffers));
  }
  const format::Buffer& buffer = *buffers->Get(number - 1);
  if (buffer.size() != tensor.bytes) {
    return fail_tensor(error, tensor, what, " is buffer ", number, " of ", buffer.size(),
                       " bytes, the shape needs ", tensor.bytes);
  }
  *data = context.file.data() + buffer.offset();
  return MDL_OK;
}

mdl_status decode_tensor(const GraphContext& context, uint32_t index, mdl_tensor* tensor,
                         mdl_error* error) {
  const format::Tensor& from = *context.from->tensors()->Get(index);
  MDL_TRY(check_text(from.name(), error, "tensor ", index, ": its name"));
  if (from.name()->size() == 0) {
    return fail(error, MDL_ERROR_BAD_MODEL, "tensor ", index, ": has no name");
  }
  *tensor = {};
  tensor->name = from.name()->c_str();
  tensor->producer = -1;
  tensor->consumer = -1;
  const int dtype = static_cast<int>(from.dtype());
  if (dtype <= MDL_DTYPE_NONE || dtype > MDL_FLOAT64) {
    return fail_tensor(error, *tensor, "dtype is ", dtype, ", should be from 1 to ",
                       static_cast<int>(MDL_FLOAT64));
  }
  tensor->dtype = static_cast<mdl_dtype>(dtype);
  MDL_TRY(decode_shape(from, *context.limits, tensor, error));
  if (from.quantization() != nullptr) {
    MDL_TRY(decode_quantization(*from.quantization(), tensor, error));
  }
  MDL_TRY(find_buffer(context, from.buffer(), *tensor, "its constant", &tensor->data, error));
  for (uint32_t d = 0; tensor->data != nullptr && d < tensor->rank; ++d) {
    if (tensor->symbols[d] != nullptr) {
      return fail_tensor(error, *tensor, "is a constant and its dimension ", d, " is dynamic ('",
                         tensor->symbols[d], "'), should be static");
    }
  }
  return MDL_OK;
}

}  // namespace medulla
