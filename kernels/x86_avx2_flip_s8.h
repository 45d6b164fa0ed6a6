// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_FLIP_S8_H_
#define MEDULLA_KERNELS_X86_AVX2_FLIP_S8_H_

#include <immintrin.h>

#include "kernels/s8.h"

namespace medulla {

// to[i] = from[i] + 128. Neither reads nor writes past `count`: the last vector overlaps.
static inline void flip_s8(const int8_t* from, size_t count, uint8_t* to) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(kFlipS8));
  const auto sixteen = [&](size_t i) {
    const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_xor_si128(q, _mm256_castsi256_si128(flip)));
  };
  if (count >= 16) {
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
      const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_xor_si256(q, flip));
    }
    if (i + 16 < count) sixteen(i);
    if (i < count) sixteen(count - 16);
  } else {
    for (size_t i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(from[i] + kFlipS8);
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_FLIP_S8_H_
