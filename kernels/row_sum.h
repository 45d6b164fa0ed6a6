// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ROW_SUM_H_
#define MEDULLA_KERNELS_ROW_SUM_H_

#include "kernels/f32x1.h"

// The order in which sums over a row are taken: 16 partials from +0, value k goes to partial
// k mod 16; then partial i takes i + 8, i + 4, i + 2, i + 1 for i below 8, 4, 2, 1.
namespace medulla {

constexpr size_t kPartials = 16;

template <class T>
static inline T join_partials(T* partials) {
#pragma GCC unroll 4
  for (size_t half = kPartials / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (size_t i = 0; i < half; ++i) partials[i] = partials[i] + partials[i + half];
  }
  return partials[0];
}

// The sum of value(k, count) for k below n in steps of V's width, where `count` lanes count and
// the others are +0, which changes no partial: none is ever -0.
template <class V, class Value>
static inline float sum_row(size_t n, Value value) {
  constexpr size_t kVecs = kPartials / V::kWidth;
  V partials[kVecs];
#pragma GCC unroll 16
  for (V& p : partials) p = V::all(0);
  size_t k = 0;
  for (; n - k >= kPartials; k += kPartials) {
#pragma GCC unroll 16
    for (size_t j = 0; j < kVecs; ++j) {
      partials[j] = partials[j] + value(k + j * V::kWidth, V::kWidth);
    }
  }
  for (size_t j = 0; k < n; ++j, k += V::kWidth) {
    partials[j] = partials[j] + value(k, n - k < V::kWidth ? n - k : V::kWidth);
  }
  alignas(64) float lanes[kPartials];
#pragma GCC unroll 16
  for (size_t j = 0; j < kVecs; ++j) partials[j].store(lanes + j * V::kWidth);
  return join_partials(lanes);
}

// The same lane by lane, value(k) being whole vectors.
template <class V, class Value>
static inline V sum_lanes(size_t n, Value value) {
  V partials[kPartials];
#pragma GCC unroll 16
  for (V& p : partials) p = V::all(0);
  size_t k = 0;
  for (; n - k >= kPartials; k += kPartials) {
#pragma GCC unroll 16
    for (size_t i = 0; i < kPartials; ++i) partials[i] = partials[i] + value(k + i);
  }
  for (size_t i = 0; k < n; ++i, ++k) partials[i] = partials[i] + value(k);
  return join_partials(partials);
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ROW_SUM_H_
