// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_SOFTMAX_F32_ROWS_H_
#define MEDULLA_KERNELS_SOFTMAX_F32_ROWS_H_

#include "kernels/elementwise_f32/functions.h"
#include "kernels/lanes.h"
#include "kernels/row_sum.h"
#include "kernels/softmax_f32/softmax_f32.h"

// The kernel of this family over any vector type.
namespace medulla {

template <class V>
static inline float max_of_row(const float* x, size_t n) {
  V greatest = V::all(-kInfinityF32);
  size_t k = 0;
  for (; n - k >= V::kWidth; k += V::kWidth) {
    greatest = functions::max_nan(V::load(x + k), greatest);
  }
  float lanes[V::kWidth];
  greatest.store(lanes);
  F32x1 m{lanes[0]};
  for (size_t i = 1; i < V::kWidth; ++i) m = functions::max_nan(F32x1{lanes[i]}, m);
  for (; k < n; ++k) m = functions::max_nan(F32x1{x[k]}, m);
  return m.v;
}

template <class V, bool log>
static inline void softmax_row(const float* x, float* y, size_t n) {
  const V m = V::all(max_of_row<V>(x, n));
  const float sum = sum_row<V>(n, [=](size_t k, size_t count) {
    V e = functions::exp(load_lanes<V>(x + k, count) - m);
    if (count < V::kWidth) e = e.part(count);
    if (!log) store_lanes(y + k, count, e);
    return e;
  });
  const V s = V::all(log ? functions::log(F32x1{sum}).v : sum);
  const auto finish = [=](size_t k, size_t count) {
    store_lanes(y + k, count,
                log ? (load_lanes<V>(x + k, count) - m) - s : load_lanes<V>(y + k, count) / s);
  };
  size_t k = 0;
  for (; n - k >= V::kWidth; k += V::kWidth) finish(k, V::kWidth);
  if (k < n) finish(k, n - k);
}

// `count` rows side by side.
template <class V, bool log>
static inline void softmax_lanes(const float* x, float* y, size_t n, size_t inner, size_t count) {
  V m = V::all(-kInfinityF32);
  for (size_t k = 0; k < n; ++k) {
    m = functions::max_nan(load_lanes<V>(x + k * inner, count), m);
  }
  V s = sum_lanes<V>(n, [=](size_t k) {
    const V e = functions::exp(load_lanes<V>(x + k * inner, count) - m);
    if (!log) store_lanes(y + k * inner, count, e);
    return e;
  });
  if (log) s = functions::log(s);
  for (size_t k = 0; k < n; ++k) {
    const size_t at = k * inner;
    store_lanes(y + at, count,
                log ? (load_lanes<V>(x + at, count) - m) - s : load_lanes<V>(y + at, count) / s);
  }
}

template <class V, bool log>
static void softmax(const SoftmaxF32& a) {
  for (size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.x_stride;
    float* y = a.y + r * a.y_stride;
    if (a.inner == 1) {
      softmax_row<V, log>(x, y, a.n);
      continue;
    }
    for (size_t i = 0; i < a.inner; i += V::kWidth) {
      const size_t left = a.inner - i;
      softmax_lanes<V, log>(x + i, y + i, a.n, a.inner, left < V::kWidth ? left : V::kWidth);
    }
  }
}

template <class V>
static constexpr SoftmaxF32Kernel make_softmax_f32() {
  return {softmax<V, false>, softmax<V, true>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_SOFTMAX_F32_ROWS_H_
