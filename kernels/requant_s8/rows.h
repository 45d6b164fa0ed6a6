// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_REQUANT_S8_ROWS_H_
#define MEDULLA_KERNELS_REQUANT_S8_ROWS_H_

#include "kernels/quantize.h"
#include "kernels/requant_s8/requant_s8.h"

// The kernel of this family over any vector type. uint8 is int8 moved by 128.
namespace medulla {

static inline int32_t signed_offset(const QuantizedS8& q) { return q.is_unsigned ? 128 : 0; }
static inline uint8_t signed_flip(const QuantizedS8& q) { return q.is_unsigned ? 0x80 : 0; }
static inline float signed_zero_point(const QuantizedS8& q) {
  return static_cast<float>(q.zero_point - signed_offset(q));
}
static inline QuantizeF32 signed_quantize(const QuantizedS8& q) {
  const int32_t offset = signed_offset(q);
  return quantize_f32(q.zero_point - offset, q.min - offset, q.max - offset);
}

template <class V>
static void quantize_row(const QuantizedS8& q, const float* x, int8_t* y, size_t n) {
  const QuantizeF32 to = signed_quantize(q);
  const uint8_t flip = signed_flip(q);
  const V scale = V::all(q.scale);
  store_quantized<V>(n, to, flip, y,
                     [=](size_t i, size_t count) { return load_lanes<V>(x + i, count) / scale; });
}

template <class V>
static void dequantize_row(const QuantizedS8& q, const int8_t* x, float* y, size_t n) {
  const uint8_t flip = signed_flip(q);
  const V zero_point = V::all(signed_zero_point(q));
  const V scale = V::all(q.scale);
  each_place<V>(n, [=](size_t i, size_t count) {
    store_lanes(y + i, count, (load_s8<V>(x + i, flip, count) - zero_point) * scale);
  });
}

template <class V>
static void requantize_row(const QuantizedS8& from, const QuantizedS8& to, float k, const int8_t* x,
                           int8_t* y, size_t n) {
  const QuantizeF32 q = signed_quantize(to);
  const uint8_t flip_x = signed_flip(from);
  const uint8_t flip_y = signed_flip(to);
  const V zero_point = V::all(signed_zero_point(from));
  const V scale = V::all(k);
  store_quantized<V>(n, q, flip_y, y, [=](size_t i, size_t count) {
    return (load_s8<V>(x + i, flip_x, count) - zero_point) * scale;
  });
}

template <class V>
static constexpr RequantS8Kernel make_requant_s8() {
  return {quantize_row<V>, dequantize_row<V>, requantize_row<V>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_REQUANT_S8_ROWS_H_
