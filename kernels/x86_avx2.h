// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_H_
#define MEDULLA_KERNELS_X86_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

// For files compiled with -mavx2 -mfma -mf16c only. Everything is static: such a file exports its
// rows and nothing else, so that no linker can put AVX2 code where the baseline is called.
namespace medulla {

// The first `count` lanes set, 0 <= count <= 8.
static inline __m256i lane_mask(size_t count) {
  alignas(32) static const int32_t kWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                  0,  0,  0,  0,  0,  0,  0,  0};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kWindow + 8 - count));
}

// Lanes outside the mask read as +0 and are neither read from nor written to memory.
static inline __m256 load_masked(const float* p, __m256i mask) {
  return _mm256_maskload_ps(p, mask);
}
static inline void store_masked(float* p, __m256i mask, __m256 v) {
  _mm256_maskstore_ps(p, mask, v);
}

// v = lo > v ? lo : v, then hi < v ? hi : v: keeps NaN, and -0 against a bound of +0.
static inline __m256 clamp(__m256 v, __m256 lo, __m256 hi) {
  return _mm256_min_ps(hi, _mm256_max_ps(lo, v));
}

// INT8 outputs are clamped after rounding, which is the same as before, for the bounds are whole
// numbers: conversion takes what is too small to the least int32, and what is too large is held to
// 1024, more than any bound.
static inline __m256i round_sums(__m256i sums, __m256 scale) {
  const __m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale);
  return _mm256_cvtps_epi32(_mm256_min_ps(t, _mm256_set1_ps(1024)));
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_H_
