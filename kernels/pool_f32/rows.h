// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_POOL_F32_ROWS_H_
#define MEDULLA_KERNELS_POOL_F32_ROWS_H_

#include "kernels/pool_f32/pool_f32.h"
#include "kernels/row_sum.h"

// The kernel of this family over any vector type.
namespace medulla {

template <bool average, class V>
static inline V pool_step(V acc, V v) {
  if constexpr (average) return acc + v;
  return select(is_nan(v), v, max(v, acc));
}

// kVecs vectors of one pixel's channels from `in` on; of the last one `count` lanes.
template <class V, size_t kVecs, bool average>
static inline void pool_block(const PoolF32& a, const PoolWindow& window, size_t channel,
                              size_t count, float* out) {
  const size_t step_x = a.pool.dilation_w * a.in_stride;
  const size_t step_y = a.pool.dilation_h * a.pool.in_w * a.in_stride;
  const float* row = a.in + window.first * a.in_stride + channel;
  V acc[kVecs];
#pragma GCC unroll 8
  for (V& v : acc) v = V::all(average ? 0 : -kInfinityF32);
  for (size_t y = 0; y < window.rows; ++y, row += step_y) {
    const float* in = row;
    for (size_t x = 0; x < window.columns; ++x, in += step_x) {
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) {
        const float* from = in + j * V::kWidth;
        acc[j] = pool_step<average>(acc[j],
                                    count == V::kWidth ? V::load(from) : V::load_part(from, count));
      }
    }
  }
  const V divisor = V::all(static_cast<float>(window.count));
#pragma GCC unroll 8
  for (size_t j = 0; j < kVecs; ++j) {
    const V v = average ? acc[j] / divisor : acc[j];
    float* const to = out + channel + j * V::kWidth;
    count == V::kWidth ? v.store(to) : v.store_part(to, count);
  }
}

template <class V, bool average>
static void pool(const PoolF32& a, size_t begin, size_t end) {
  constexpr size_t kVecs = 4;
  const size_t channels = a.pool.channels;
  each_window(a.pool, begin, end, [&](size_t p, const PoolWindow& window) {
    float* const out = a.out + p * a.out_stride;
    size_t c = 0;
    for (; channels - c >= kVecs * V::kWidth; c += kVecs * V::kWidth) {
      pool_block<V, kVecs, average>(a, window, c, V::kWidth, out);
    }
    for (; channels - c >= V::kWidth; c += V::kWidth) {
      pool_block<V, 1, average>(a, window, c, V::kWidth, out);
    }
    if (c < channels) pool_block<V, 1, average>(a, window, c, channels - c, out);
  });
}

// Two vectors side by side: with AVX2 a cache line, which strides that are powers of two would
// else have evicted before its second half is read.
template <class V>
struct Pair {
  V low;
  V high;

  static Pair all(float x) { return {V::all(x), V::all(x)}; }
};
template <class V>
static inline Pair<V> operator+(Pair<V> a, Pair<V> b) {
  return {a.low + b.low, a.high + b.high};
}

template <class V, bool mean>
static void reduce(const ReduceF32& a) {
  const float n = static_cast<float>(a.n);
  for (size_t o = 0; o < a.outer; ++o) {
    const float* x = a.x + o * a.outer_stride;
    float* y = a.y + o * a.inner;
    if (a.inner == 1 && a.stride == 1) {
      const float sum = sum_row<V>(a.n, [=](size_t k, size_t count) {
        return count == V::kWidth ? V::load(x + k) : V::load_part(x + k, count);
      });
      *y = mean ? sum / n : sum;
      continue;
    }
    const size_t stride = a.stride;
    size_t i = 0;
    for (; a.inner - i >= 2 * V::kWidth; i += 2 * V::kWidth) {
      const Pair<V> sum = sum_lanes<Pair<V>>(a.n, [=](size_t k) {
        const float* from = x + k * stride + i;
        return Pair<V>{V::load(from), V::load(from + V::kWidth)};
      });
      (mean ? sum.low / V::all(n) : sum.low).store(y + i);
      (mean ? sum.high / V::all(n) : sum.high).store(y + i + V::kWidth);
    }
    for (; a.inner - i >= V::kWidth; i += V::kWidth) {
      const V sum = sum_lanes<V>(a.n, [=](size_t k) { return V::load(x + k * stride + i); });
      (mean ? sum / V::all(n) : sum).store(y + i);
    }
    const size_t left = a.inner - i;
    if (left == 0) continue;
    const V sum =
        sum_lanes<V>(a.n, [=](size_t k) { return V::load_part(x + k * stride + i, left); });
    (mean ? sum / V::all(n) : sum).store_part(y + i, left);
  }
}

template <class V>
static constexpr PoolF32Kernel make_pool_f32() {
  return {pool<V, false>, pool<V, true>, reduce<V, false>, reduce<V, true>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_POOL_F32_ROWS_H_
