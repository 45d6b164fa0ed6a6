// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_LAYER_NORM_S8_ROWS_H_
#define MEDULLA_KERNELS_LAYER_NORM_S8_ROWS_H_

#include "kernels/layer_norm_s8/layer_norm_s8.h"
#include "kernels/quantize.h"

// The kernel of this family over any vector type.
namespace medulla {

struct LayerNormSums {
  int64_t values;
  int64_t squares;
};

// Each lane sums at most 256 squares below 2^16: exact floats.
template <class V>
static inline LayerNormSums layer_norm_sums(const int8_t* x, size_t n, V zero_point) {
  constexpr size_t kBlock = 256 * V::kWidth;
  LayerNormSums sums = {0, 0};
  for (size_t begin = 0; begin < n; begin += kBlock) {
    const size_t count = n - begin < kBlock ? n - begin : kBlock;
    V values = V::all(0);
    V squares = V::all(0);
    each_place<V>(count, [&](size_t i, size_t width) {
      const V q = load_s8<V>(x + begin + i, 0, width) - zero_point;
      const V d = width == V::kWidth ? q : q.part(width);
      values = values + d;
      squares = squares + d * d;
    });
    float lanes[2][V::kWidth];
    values.store(lanes[0]);
    squares.store(lanes[1]);
    for (size_t lane = 0; lane < V::kWidth; ++lane) {
      sums.values += static_cast<int64_t>(lanes[0][lane]);
      sums.squares += static_cast<int64_t>(lanes[1][lane]);
    }
  }
  return sums;
}

template <class V>
static void layer_norm_rows(const LayerNormS8& p, const int8_t* x, int8_t* y, size_t rows) {
  const QuantizeF32 q = quantize_f32(p.zero_point, p.min, p.max);
  const V zero_point = V::all(static_cast<float>(p.zero_point_x));
  const double n = static_cast<double>(p.n);
  const float* const scale = p.scale;
  const float* const bias = p.bias;
  for (size_t row = 0; row < rows; ++row, x += p.n, y += p.n) {
    const LayerNormSums sums = layer_norm_sums(x, p.n, zero_point);
    const int64_t spread = static_cast<int64_t>(p.n) * sums.squares - sums.values * sums.values;
    const double variance = static_cast<double>(spread) / (n * n);
    const double inverse = 1 / __builtin_sqrt(variance + p.epsilon);
    const V a = V::all(static_cast<float>(inverse));
    const V b = V::all(static_cast<float>(-inverse * static_cast<double>(sums.values) / n));
    store_quantized<V>(p.n, q, 0, y, [=](size_t i, size_t count) {
      V v = (load_s8<V>(x + i, 0, count) - zero_point) * a + b;
      v = v * load_lanes<V>(scale + i, count);
      if (bias != nullptr) v = v + load_lanes<V>(bias + i, count);
      return v;
    });
  }
}

template <class V>
static constexpr LayerNormS8Kernel make_layer_norm_s8() {
  return {layer_norm_rows<V>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_LAYER_NORM_S8_ROWS_H_
