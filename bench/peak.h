// SPDX-License-Identifier: Apache-2.0
// What the multipliers of this CPU can do in registers, by the width of a kernel's ISA.
#ifndef MEDULLA_BENCH_PEAK_H_
#define MEDULLA_BENCH_PEAK_H_

#include "kernels/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace medulla::bench {

constexpr int kPeakChains = 12;
constexpr int kPeakSteps = 6000;

#if defined(__x86_64__)

// Each runs twelve chains of multiplications and additions for some ten microseconds and returns
// how many it did.
__attribute__((target("avx512f"), noinline)) inline double spin_512() {
  const __m512 x = _mm512_set1_ps(0.5f);
  __m512 acc[kPeakChains];
  for (int i = 0; i < kPeakChains; ++i) acc[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int step = 0; step < kPeakSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kPeakChains; ++i) acc[i] = _mm512_fmadd_ps(acc[i], x, x);
  }
  for (int i = 1; i < kPeakChains; ++i) acc[0] = _mm512_add_ps(acc[0], acc[i]);
  volatile float sink = _mm512_cvtss_f32(acc[0]);
  (void)sink;
  return 16.0 * kPeakChains * kPeakSteps;
}

__attribute__((target("avx2,fma"), noinline)) inline double spin_256() {
  const __m256 x = _mm256_set1_ps(0.5f);
  __m256 acc[kPeakChains];
  for (int i = 0; i < kPeakChains; ++i) acc[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int step = 0; step < kPeakSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kPeakChains; ++i) acc[i] = _mm256_fmadd_ps(acc[i], x, x);
  }
  for (int i = 1; i < kPeakChains; ++i) acc[0] = _mm256_add_ps(acc[0], acc[i]);
  volatile float sink = _mm256_cvtss_f32(acc[0]);
  (void)sink;
  return 8.0 * kPeakChains * kPeakSteps;
}

// The baseline has no fused one.
__attribute__((noinline)) inline double spin_128() {
  const __m128 x = _mm_set1_ps(0.5f);
  __m128 acc[kPeakChains];
  for (int i = 0; i < kPeakChains; ++i) acc[i] = _mm_set1_ps(static_cast<float>(i));
  for (int step = 0; step < kPeakSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kPeakChains; ++i) acc[i] = _mm_add_ps(_mm_mul_ps(acc[i], x), x);
  }
  for (int i = 1; i < kPeakChains; ++i) acc[0] = _mm_add_ps(acc[0], acc[i]);
  volatile float sink = _mm_cvtss_f32(acc[0]);
  (void)sink;
  return 4.0 * kPeakChains * kPeakSteps;
}

inline double spin(Isa isa) {
  const IsaSet needs = isa_needs(isa);
  if (needs.contains(isa_bit(Isa::avx512))) return spin_512();
  return needs.contains(isa_bit(Isa::avx2)) ? spin_256() : spin_128();
}

#else

inline double spin(Isa) {
  float acc[kPeakChains * 4];
  for (int i = 0; i < kPeakChains * 4; ++i) acc[i] = static_cast<float>(i);
  for (int step = 0; step < kPeakSteps; ++step) {
    for (int i = 0; i < kPeakChains * 4; ++i) acc[i] = __builtin_fmaf(acc[i], 0.5f, 0.5f);
  }
  for (int i = 1; i < kPeakChains * 4; ++i) acc[0] += acc[i];
  volatile float sink = acc[0];
  (void)sink;
  return 4.0 * kPeakChains * kPeakSteps;
}

#endif

}  // namespace medulla::bench

#endif  // MEDULLA_BENCH_PEAK_H_
