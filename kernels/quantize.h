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

// rne(clamp(t)) + zero_point, still a float; NaN gives min. The clamp keeps |t| < 2^22.
template <class V>
static inline V quantize(V t, const QuantizeF32& q) {
  t = min(max(t, V::all(q.lo)), V::all(q.hi));
  return (t + V::all(kRoundF32)) - V::all(kRoundF32) + V::all(q.zero_point);
}

template <class V>
static inline V load_s8(const int8_t* p, uint8_t flip, size_t count) {
  return count == V::kWidth ? V::load_s8(p, flip) : V::load_s8_part(p, flip, count);
}
template <class V>
static inline void store_s8(V v, int8_t* p, uint8_t flip, size_t count) {
  count == V::kWidth ? v.store_s8(p, flip) : v.store_s8_part(p, flip, count);
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_QUANTIZE_H_
