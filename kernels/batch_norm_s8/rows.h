// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_BATCH_NORM_S8_ROWS_H_
#define MEDULLA_KERNELS_BATCH_NORM_S8_ROWS_H_

#include "kernels/batch_norm_s8/batch_norm_s8.h"
#include "kernels/quantize.h"

// The kernel of this family over any vector type.
namespace medulla {

template <class V>
static void batch_norm_rows(const BatchNormS8& p, const int8_t* x, int8_t* y, size_t rows) {
  const QuantizeF32 q = quantize_f32(p.zero_point, p.min, p.max);
  const V zero_point = V::all(static_cast<float>(p.zero_point_x));
  const float* const multiplier = p.multiplier;
  const float* const bias = p.bias;
  for (size_t row = 0; row < rows; ++row, x += p.n, y += p.n) {
    store_quantized<V>(p.n, q, 0, y, [=](size_t i, size_t count) {
      const V d = load_s8<V>(x + i, 0, count) - zero_point;
      const V t = d * load_lanes<V>(multiplier + i, count) + load_lanes<V>(bias + i, count);
      return t;
    });
  }
}

template <class V>
static constexpr BatchNormS8Kernel make_batch_norm_s8() {
  return {batch_norm_rows<V>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_BATCH_NORM_S8_ROWS_H_
