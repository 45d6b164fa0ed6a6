// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_s8/pool_s8.h"

#include <cstring>

#include "kernels/x86_avx2_s8.h"

namespace medulla {
namespace {

struct QuantizeS8 {
  __m256 lo;
  __m256 hi;
  __m256i zero_point;
};

// quantize_s8 of eight sums.
inline __m256i quantize_sums(__m256i sums, __m256 scale, const QuantizeS8& to) {
  const __m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale);
  const __m256i q = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(t, to.lo), to.hi));
  return _mm256_add_epi32(q, to.zero_point);
}

// Calls tap(p) with the address of each tap of channel c in the window.
template <class Tap>
inline void each_tap(const PoolS8& a, const PoolWindow& window, size_t c, Tap tap) {
  const size_t step_x = a.pool.dilation_w * a.in_stride;
  const size_t step_y = a.pool.dilation_h * a.pool.in_w * a.in_stride;
  const int8_t* row = a.in + window.first * a.in_stride + c;
  for (size_t y = 0; y < window.rows; ++y, row += step_y) {
    const int8_t* p = row;
    for (size_t x = 0; x < window.columns; ++x, p += step_x) tap(p);
  }
}

inline __m256i load_bytes(const int8_t* p, size_t count) {
  if (count == 32) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  alignas(32) int8_t lanes[32] = {};
  std::memcpy(lanes, p, count);
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes));
}

template <bool is_signed>
void max_pool(const PoolS8& a, size_t begin, size_t end) {
  const size_t channels = a.pool.channels;
  each_window(a.pool, begin, end, [&](size_t p, const PoolWindow& window) {
    for (size_t c = 0; c < channels; c += 32) {
      const size_t count = channels - c < 32 ? channels - c : 32;
      __m256i greatest = load_bytes(a.in + window.first * a.in_stride + c, count);
      each_tap(a, window, c, [&](const int8_t* in) {
        const __m256i q = load_bytes(in, count);
        greatest = is_signed ? _mm256_max_epi8(q, greatest) : _mm256_max_epu8(q, greatest);
      });
      int8_t* const out = a.out + p * a.out_stride + c;
      if (count == 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), greatest);
      } else {
        alignas(32) int8_t lanes[32];
        _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), greatest);
        std::memcpy(out, lanes, count);
      }
    }
  });
}

inline __m128i load_eight(const int8_t* p, size_t count) {
  if (count == 8) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  int64_t lanes = 0;
  std::memcpy(&lanes, p, count);
  return _mm_cvtsi64_si128(lanes);
}

void average_pool(const PoolS8& a, size_t begin, size_t end) {
  const size_t channels = a.pool.channels;
  const QuantizeS8 quantize = {_mm256_set1_ps(static_cast<float>(a.min - a.zero_point)),
                               _mm256_set1_ps(static_cast<float>(a.max - a.zero_point)),
                               _mm256_set1_epi32(a.zero_point)};
  each_window(a.pool, begin, end, [&](size_t p, const PoolWindow& window) {
    const __m256 m = _mm256_set1_ps(a.multipliers[(window.count - 1) * a.multiplier_step]);
    const __m256i zeros =
        _mm256_set1_epi32(static_cast<int32_t>(window.rows * window.columns) * a.in_zero_point);
    for (size_t c = 0; c < channels; c += 8) {
      const size_t count = channels - c < 8 ? channels - c : 8;
      __m256i sum = _mm256_setzero_si256();
      each_tap(a, window, c, [&](const int8_t* in) {
        sum = _mm256_add_epi32(sum, _mm256_cvtepi8_epi32(load_eight(in, count)));
      });
      const __m256i q = quantize_sums(_mm256_sub_epi32(sum, zeros), m, quantize);
      const __m128i words =
          _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
      const int64_t bytes = _mm_cvtsi128_si64(_mm_packs_epi16(words, words));
      std::memcpy(a.out + p * a.out_stride + c, &bytes, count);
    }
  });
}

}  // namespace

extern const PoolS8Kernel pool_s8_x32_avx2;
const PoolS8Kernel pool_s8_x32_avx2 = {max_pool<true>, max_pool<false>, average_pool};

}  // namespace medulla
