// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_NORM_F32_ROWS_H_
#define MEDULLA_KERNELS_NORM_F32_ROWS_H_

#include "kernels/elementwise_f32/functions.h"
#include "kernels/lanes.h"
#include "kernels/norm_f32/norm_f32.h"
#include "kernels/row_sum.h"

// The kernel of this family over any vector type.
namespace medulla {

template <class V>
static void batch_norm(const BatchNormF32& p, const float* x, float* y, size_t rows) {
  const V lo = V::all(p.lo);
  const V hi = V::all(p.hi);
  const float* const mean = p.mean;
  const float* const k = p.k;
  const float* const bias = p.bias;
  for (size_t row = 0; row < rows; ++row, x += p.x_stride, y += p.y_stride) {
    each_place<V>(p.n, [=](size_t i, size_t count) {
      const V d = load_lanes<V>(x + i, count) - load_lanes<V>(mean + i, count);
      const V v = fma(d, load_lanes<V>(k + i, count), load_lanes<V>(bias + i, count));
      store_lanes(y + i, count, functions::clip(v, lo, hi));
    });
  }
}

// Reads runs one behind the other.
template <class V>
struct RunReader {
  const float* x;
  size_t n;
  size_t stride;
  size_t at = 0;  // in the run at x

  V next(size_t count) {
    if (at == n) {
      x += stride;
      at = 0;
    }
    if (n - at >= count) {
      at += count;
      return load_lanes<V>(x + at - count, count);
    }
    float lanes[V::kWidth];
    for (size_t i = 0; i < count; ++i, ++at) {
      if (at == n) {
        x += stride;
        at = 0;
      }
      lanes[i] = x[at];
    }
    return load_lanes<V>(lanes, count);
  }
};

// d * r by scale and bias, from `i` on.
template <class V>
static inline V scaled(const RunNormF32& p, V normal, size_t i, size_t count) {
  const V scale = load_lanes<V>(p.scale + i, count);
  if (p.bias == nullptr) return normal * scale;
  return fma(normal, scale, load_lanes<V>(p.bias + i, count));
}

template <class V>
static void norm_runs(const RunNormF32& p, const float* x, float* y) {
  const size_t count = p.runs * p.n;
  const float divisor = static_cast<float>(count);
  float mean = 0;
  if (p.centered) {
    RunReader<V> reader = {x, p.n, p.stride};
    mean = sum_row<V>(count, [&](size_t, size_t lanes) { return reader.next(lanes); }) / divisor;
  }
  const V m = V::all(mean);
  RunReader<V> reader = {x, p.n, p.stride};
  const float squares = sum_row<V>(count, [&](size_t, size_t lanes) {
    const V d = reader.next(lanes) - m;
    const V square = d * d;
    return lanes == V::kWidth ? square : square.part(lanes);
  });
  const V r = V::all(1 / __builtin_sqrtf(squares / divisor + p.epsilon));
  for (size_t run = 0; run < p.runs; ++run, x += p.stride, y += p.stride) {
    each_place<V>(p.n, [=](size_t i, size_t lanes) {
      store_lanes(y + i, lanes, scaled(p, (load_lanes<V>(x + i, lanes) - m) * r, i, lanes));
    });
  }
}

template <class V>
static void norm_neighbours(const RunNormF32& p, const float* x, float* y, size_t count) {
  const V divisor = V::all(static_cast<float>(p.runs));
  const V one = V::all(1);
  const V epsilon = V::all(p.epsilon);
  each_place<V>(count, [=](size_t i, size_t lanes) {
    const auto at = [=](size_t run) { return load_lanes<V>(x + run * p.stride + i, lanes); };
    const V m = p.centered ? sum_lanes<V>(p.runs, at) / divisor : V::all(0);
    const V squares = sum_lanes<V>(p.runs, [=](size_t run) {
      const V d = at(run) - m;
      return d * d;
    });
    const V r = one / sqrt(squares / divisor + epsilon);
    for (size_t run = 0; run < p.runs; ++run) {
      store_lanes(y + run * p.stride + i, lanes, scaled(p, (at(run) - m) * r, i, lanes));
    }
  });
}

template <class V>
static constexpr NormF32Kernel make_norm_f32() {
  return {batch_norm<V>, norm_runs<V>, norm_neighbours<V>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_NORM_F32_ROWS_H_
