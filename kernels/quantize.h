// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_QUANTIZE_H_
#define MEDULLA_KERNELS_QUANTIZE_H_

#include "kernels/lanes.h"

// Q of numerics.md over any vector type, and vectors of INT8.
namespace medulla {

// An output's zero point and range, as floats: exact.
struct QuantizeF32 {
  float zero_point;
  float lo;  // min - zero_point
  float hi;
};

static inline QuantizeF32 quantize_f32(int32_t zero_point, int32_t min, int32_t max) {
  return {static_cast<float>(zero_point), static_cast<float>(min - zero_point),
          static_cast<float>(max - zero_point)};
}

template <class V>
static inline V load_s8(const int8_t* p, uint8_t flip, size_t count) {
  return count == V::kWidth ? V::load_s8(p, flip) : V::load_s8_part(p, flip, count);
}

// y[i] = rne(clamp(value(i, count))) + zero_point for i below n, each byte XORed with `flip`; NaN
// gives min. value(i, count) is a vector, of which the first `count` lanes count. Of kBatch vectors
// all are there before y is written.
template <class V, class Value>
static inline void store_quantized(size_t n, const QuantizeF32& q, uint8_t flip, int8_t* y,
                                   Value value) {
  constexpr size_t kBatch = V::kBatch;
  constexpr size_t kStep = kBatch * V::kWidth;
  const V lo = V::all(q.lo);
  const V hi = V::all(q.hi);
  const auto clamped = [=](V t) { return min(max(t, lo), hi); };
  size_t i = 0;
  for (; n - i >= kStep; i += kStep) {
    V t[kBatch];
#pragma GCC unroll 4
    for (size_t j = 0; j < kBatch; ++j) t[j] = clamped(value(i + j * V::kWidth, V::kWidth));
    V::store_rounded_s8(t, q.zero_point, y + i, flip);
  }
  for (; i < n; i += V::kWidth) {
    const size_t count = n - i < V::kWidth ? n - i : V::kWidth;
    // The clamp keeps |t| < 2^22.
    const V t = clamped(value(i, count)) + V::all(kRoundF32) - V::all(kRoundF32);
    const V rounded = t + V::all(q.zero_point);
    count == V::kWidth ? rounded.store_s8(y + i, flip) : rounded.store_s8_part(y + i, flip, count);
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_QUANTIZE_H_
