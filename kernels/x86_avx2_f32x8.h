// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_F32X8_H_
#define MEDULLA_KERNELS_X86_AVX2_F32X8_H_

#include <cstring>

#include "kernels/f32x1.h"
#include "kernels/x86_avx2.h"

// The vector type of f32x1.h for AVX2.
namespace medulla {
namespace {

struct F32x8 {
  __m256 v;

  struct Mask {
    __m256 m;
  };
  static constexpr size_t kWidth = 8;

  static F32x8 all(float x) { return {_mm256_set1_ps(x)}; }
  static F32x8 load(const float* p) { return {_mm256_loadu_ps(p)}; }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  static F32x8 load_part(const float* p, size_t count) {
    return {load_masked(p, lane_mask(count))};
  }
  void store_part(float* p, size_t count) const { store_masked(p, lane_mask(count), v); }
  F32x8 part(size_t count) const {
    return {_mm256_and_ps(v, _mm256_castsi256_ps(lane_mask(count)))};
  }

  static F32x8 load_s8(const int8_t* p, uint8_t flip) {
    const __m128i q = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    const __m128i flipped = _mm_xor_si128(q, _mm_set1_epi8(static_cast<char>(flip)));
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(flipped))};
  }
  void store_s8(int8_t* p, uint8_t flip) const {
    const __m256i q = _mm256_cvtps_epi32(v);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    const __m128i bytes = _mm_packs_epi16(words, words);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p),
                     _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(flip))));
  }
  static constexpr size_t kBatch = 4;
  static void store_rounded_s8(const F32x8 (&t)[kBatch], float zero_point, int8_t* p,
                               uint8_t flip) {
    const __m256i z = _mm256_set1_epi16(static_cast<int16_t>(zero_point));
    const auto words = [z](F32x8 a, F32x8 b) {
      return _mm256_add_epi16(_mm256_packs_epi32(_mm256_cvtps_epi32(a.v), _mm256_cvtps_epi32(b.v)),
                              z);
    };
    // Each lane has four bytes of each vector.
    const __m256i bytes = _mm256_packs_epi16(words(t[0], t[1]), words(t[2], t[3]));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_xor_si256(_mm256_permutevar8x32_epi32(bytes, order),
                                         _mm256_set1_epi8(static_cast<char>(flip))));
  }
  static F32x8 load_s8_part(const int8_t* p, uint8_t flip, size_t count) {
    int8_t lanes[kWidth] = {};
    std::memcpy(lanes, p, count);
    return load_s8(lanes, flip);
  }
  void store_s8_part(int8_t* p, uint8_t flip, size_t count) const {
    int8_t lanes[kWidth];
    store_s8(lanes, flip);
    std::memcpy(p, lanes, count);
  }
};

inline F32x8 operator+(F32x8 a, F32x8 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32x8 operator-(F32x8 a, F32x8 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32x8 operator*(F32x8 a, F32x8 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32x8 operator/(F32x8 a, F32x8 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32x8 operator-(F32x8 a) { return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))}; }
inline F32x8 fma(F32x8 a, F32x8 b, F32x8 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x8 sqrt(F32x8 a) { return {_mm256_sqrt_ps(a.v)}; }
inline F32x8 abs(F32x8 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline F32x8 copysign(F32x8 a, F32x8 sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, a.v), _mm256_and_ps(bit, sign.v))};
}

inline F32x8::Mask operator<(F32x8 a, F32x8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline F32x8::Mask operator<=(F32x8 a, F32x8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline F32x8::Mask is_nan(F32x8 a) { return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)}; }
inline F32x8 select(F32x8::Mask mask, F32x8 yes, F32x8 no) {
  return {_mm256_blendv_ps(no.v, yes.v, mask.m)};
}

inline F32x8 max(F32x8 a, F32x8 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32x8 min(F32x8 a, F32x8 b) { return {_mm256_min_ps(a.v, b.v)}; }

inline F32x8 scale_exponent(F32x8 x, F32x8 t) {
  const __m256i n = _mm256_slli_epi32(_mm256_castps_si256(t.v), 23);
  return {_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x.v), n))};
}
inline F32x8 log_exponent(F32x8 x) {
  const __m256i half = _mm256_set1_epi32(static_cast<int32_t>(kSqrtHalfBits));
  const __m256i bits = _mm256_sub_epi32(_mm256_castps_si256(x.v), half);
  return {_mm256_cvtepi32_ps(_mm256_srai_epi32(bits, 23))};
}
inline F32x8 log_mantissa(F32x8 x) {
  const __m256i half = _mm256_set1_epi32(static_cast<int32_t>(kSqrtHalfBits));
  const __m256i bits = _mm256_sub_epi32(_mm256_castps_si256(x.v), half);
  const __m256i low = _mm256_and_si256(bits, _mm256_set1_epi32(0x7FFFFF));
  return {_mm256_castsi256_ps(_mm256_add_epi32(low, half))};
}

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_F32X8_H_
