// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/lut_s8/lut_s8.h"

namespace medulla {
namespace {

constexpr size_t kBytes = 32;
constexpr size_t kVectors = 4;  // that share each load of a part of the table

// The table in 16 parts of 16 entries. Less 16 * part and added to 0x70 with saturation, an index
// of this part has its low four bits and no top bit; all others have it, for which vpshufb gives 0.
template <size_t kCount>
inline void look_up_vectors(const int8_t* table, const int8_t* x, int8_t* y) {
  __m256i index[kCount];
  __m256i found[kCount];
#pragma GCC unroll 4
  for (size_t v = 0; v < kCount; ++v) {
    index[v] =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + v * kBytes)),
                         _mm256_set1_epi8(static_cast<char>(0x80)));
    found[v] = _mm256_setzero_si256();
  }
  for (size_t part = 0; part < 16; ++part) {
    const __m256i entries = _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * part)));
#pragma GCC unroll 4
    for (size_t v = 0; v < kCount; ++v) {
      const __m256i at = _mm256_adds_epu8(index[v], _mm256_set1_epi8(0x70));
      found[v] = _mm256_or_si256(found[v], _mm256_shuffle_epi8(entries, at));
      index[v] = _mm256_sub_epi8(index[v], _mm256_set1_epi8(16));
    }
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kCount; ++v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + v * kBytes), found[v]);
  }
}

void look_up(const int8_t* table, const int8_t* x, int8_t* y, size_t n) {
  size_t i = 0;
  for (; n - i >= kVectors * kBytes; i += kVectors * kBytes) {
    look_up_vectors<kVectors>(table, x + i, y + i);
  }
  for (; n - i >= kBytes; i += kBytes) look_up_vectors<1>(table, x + i, y + i);
  for (; i < n; ++i) y[i] = table[x[i] + 128];
}

}  // namespace

extern const LutS8Kernel lut_s8_x128_avx2;
const LutS8Kernel lut_s8_x128_avx2 = {look_up};

}  // namespace medulla
