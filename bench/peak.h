// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_BENCH_PEAK_H_
#define MEDULLA_BENCH_PEAK_H_

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace medulla::bench {

#if defined(__x86_64__)

// Runs twelve chains of 256-bit FMA for some ten microseconds; returns the multiply-adds done.
__attribute__((target("avx2,fma"), noinline)) inline double spin_fma() {
  constexpr int kChains = 12;
  constexpr int kSteps = 6000;
  const __m256 x = _mm256_set1_ps(0.5f);
  __m256 acc[kChains];
  for (int i = 0; i < kChains; ++i) acc[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) acc[i] = _mm256_fmadd_ps(acc[i], x, x);
  }
  for (int i = 1; i < kChains; ++i) acc[0] = _mm256_add_ps(acc[0], acc[i]);
  volatile float sink = _mm256_cvtss_f32(acc[0]);
  (void)sink;
  return 8.0 * kChains * kSteps;
}

#else

inline double spin_fma() {
  constexpr int kChains = 64;
  constexpr int kSteps = 2000;
  float acc[kChains];
  for (int i = 0; i < kChains; ++i) acc[i] = static_cast<float>(i);
  for (int step = 0; step < kSteps; ++step) {
    for (int i = 0; i < kChains; ++i) acc[i] = __builtin_fmaf(acc[i], 0.5f, 0.5f);
  }
  for (int i = 1; i < kChains; ++i) acc[0] += acc[i];
  volatile float sink = acc[0];
  (void)sink;
  return 1.0 * kChains * kSteps;
}

#endif

}  // namespace medulla::bench

#endif  // MEDULLA_BENCH_PEAK_H_
