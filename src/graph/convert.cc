// SPDX-License-Identifier: Apache-2.0
#include "src/graph/convert.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/base/fp_env.h"

namespace medulla {
namespace {

uint16_t to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // rounds past 65504
  if (magnitude < 0x38800000) {
    // Subnormal: a multiple of 2^-24; the scaling is exact, in a type that has room for it.
    const double scaled = static_cast<double>(std::bit_cast<float>(magnitude)) * 0x1p24;
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::nearbyint(scaled)));
  }
  const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

float from_half(uint16_t half) {
  const uint32_t exponent = half >> 10 & 31;
  const uint32_t mantissa = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 0) return sign * static_cast<float>(mantissa) * 0x1p-24f;
  const uint32_t widened = exponent == 31 ? 255 : exponent + 112;
  const uint32_t bits = static_cast<uint32_t>(half & 0x8000) << 16 | widened << 23 | mantissa << 13;
  return std::bit_cast<float>(bits);
}

uint16_t to_bfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

float from_bfloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <class T>
T saturate(double value) {
  if (std::isnan(value)) return 0;
  const double rounded = std::nearbyint(value);
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
  // One above the greatest value: exact for every width, where the greatest is not.
  constexpr double kEnd = static_cast<double>(std::numeric_limits<T>::max() / 2 + 1) * 2.0;
  if (rounded < kLow) return std::numeric_limits<T>::min();
  if (rounded >= kEnd) return std::numeric_limits<T>::max();
  return static_cast<T>(rounded);
}

// Element i's scale and zero point.
class Scales {
 public:
  Scales(const mdl_quantization& quantization, const mdl_shape& shape) : q_(quantization) {
    for (uint32_t d = static_cast<uint32_t>(q_.axis) + 1; d < shape.rank; ++d) {
      inner_ *= static_cast<size_t>(shape.dims[d]);
    }
  }
  bool any() const { return q_.count > 0; }
  float scale(size_t i) const { return q_.scales[index(i)]; }
  int32_t zero(size_t i) const { return q_.zero_points != nullptr ? q_.zero_points[index(i)] : 0; }

 private:
  size_t index(size_t i) const { return q_.count > 1 ? i / inner_ % q_.count : 0; }

  const mdl_quantization& q_;
  size_t inner_ = 1;
};

// Q(fl(x / s)) of docs/numerics.md.
template <class T>
T quantize(float value, float scale, int32_t zero) {
  const double low = static_cast<double>(std::numeric_limits<T>::min()) - zero;
  const double high = static_cast<double>(std::numeric_limits<T>::max()) - zero;
  double t = static_cast<double>(value / scale);
  t = t > low ? t : low;
  t = t < high ? t : high;
  return static_cast<T>(static_cast<int64_t>(std::nearbyint(t)) + zero);
}

template <class T>
void write_integers(const Scales& scales, const float* values, size_t count, void* data) {
  T* out = static_cast<T*>(data);
  for (size_t i = 0; i < count; ++i) {
    out[i] = scales.any() ? quantize<T>(values[i], scales.scale(i), scales.zero(i))
                          : saturate<T>(static_cast<double>(values[i]));
  }
}

template <class T>
void read_integers(const Scales& scales, const void* data, size_t count, float* values) {
  const T* in = static_cast<const T*>(data);
  for (size_t i = 0; i < count; ++i) {
    values[i] = scales.any() ? static_cast<float>(static_cast<int64_t>(in[i]) - scales.zero(i)) *
                                   scales.scale(i)
                             : static_cast<float>(in[i]);
  }
}

size_t elements_of(const mdl_shape& shape) {
  size_t count = 1;
  for (uint32_t d = 0; d < shape.rank; ++d) count *= static_cast<size_t>(shape.dims[d]);
  return count;
}

}  // namespace

bool converts(mdl_dtype dtype) {
  return dtype != MDL_DTYPE_NONE && dtype != MDL_INT4 && dtype != MDL_UINT4 &&
         mdl_dtype_bits(dtype) != 0;
}

void floats_to_tensor(const mdl_tensor& tensor, const mdl_shape& shape, const float* values,
                      void* data) {
  const FloatEnvironment environment;
  const Scales scales(tensor.quantization, shape);
  const size_t count = elements_of(shape);
  if (count == 0) return;
  switch (tensor.dtype) {
    case MDL_FLOAT32:
      std::memcpy(data, values, count * sizeof(float));
      break;
    case MDL_FLOAT64:
      for (size_t i = 0; i < count; ++i) {
        static_cast<double*>(data)[i] = static_cast<double>(values[i]);
      }
      break;
    case MDL_FLOAT16:
      for (size_t i = 0; i < count; ++i) static_cast<uint16_t*>(data)[i] = to_half(values[i]);
      break;
    case MDL_BFLOAT16:
      for (size_t i = 0; i < count; ++i) static_cast<uint16_t*>(data)[i] = to_bfloat(values[i]);
      break;
    case MDL_BOOL:
      for (size_t i = 0; i < count; ++i) static_cast<uint8_t*>(data)[i] = values[i] != 0.0f;
      break;
    case MDL_INT8:
      return write_integers<int8_t>(scales, values, count, data);
    case MDL_UINT8:
      return write_integers<uint8_t>(scales, values, count, data);
    case MDL_INT16:
      return write_integers<int16_t>(scales, values, count, data);
    case MDL_UINT16:
      return write_integers<uint16_t>(scales, values, count, data);
    case MDL_INT32:
      return write_integers<int32_t>(scales, values, count, data);
    case MDL_UINT32:
      return write_integers<uint32_t>(scales, values, count, data);
    case MDL_INT64:
      return write_integers<int64_t>(scales, values, count, data);
    case MDL_UINT64:
      return write_integers<uint64_t>(scales, values, count, data);
    default:
      break;
  }
}

void tensor_to_floats(const mdl_tensor& tensor, const mdl_shape& shape, const void* data,
                      float* values) {
  const FloatEnvironment environment;
  const Scales scales(tensor.quantization, shape);
  const size_t count = elements_of(shape);
  if (count == 0) return;
  switch (tensor.dtype) {
    case MDL_FLOAT32:
      std::memcpy(values, data, count * sizeof(float));
      break;
    case MDL_FLOAT64:
      for (size_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(static_cast<const double*>(data)[i]);
      }
      break;
    case MDL_FLOAT16:
      for (size_t i = 0; i < count; ++i) {
        values[i] = from_half(static_cast<const uint16_t*>(data)[i]);
      }
      break;
    case MDL_BFLOAT16:
      for (size_t i = 0; i < count; ++i) {
        values[i] = from_bfloat(static_cast<const uint16_t*>(data)[i]);
      }
      break;
    case MDL_BOOL:
    case MDL_UINT8:
      return read_integers<uint8_t>(scales, data, count, values);
    case MDL_INT8:
      return read_integers<int8_t>(scales, data, count, values);
    case MDL_INT16:
      return read_integers<int16_t>(scales, data, count, values);
    case MDL_UINT16:
      return read_integers<uint16_t>(scales, data, count, values);
    case MDL_INT32:
      return read_integers<int32_t>(scales, data, count, values);
    case MDL_UINT32:
      return read_integers<uint32_t>(scales, data, count, values);
    case MDL_INT64:
      return read_integers<int64_t>(scales, data, count, values);
    case MDL_UINT64:
      return read_integers<uint64_t>(scales, data, count, values);
    default:
      break;
  }
}

}  // namespace medulla
