// SPDX-License-Identifier: Apache-2.0
#include "kernels/x86_avx2.h"
#include "kernels/conv_s16/rows.h"

namespace medulla {
namespace {

__m256i load(const int16_t* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); }

// The sum of all lanes.
int64_t sum_of(__m256i v) {
  const __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(v)),
                                        _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1)));
  const __m128i half =
      _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  return _mm_extract_epi64(half, 0) + _mm_extract_epi64(half, 1);
}

// A lane takes two products of 16.
struct Dot {
  static void multiply(const int16_t* rows, size_t depth, const int16_t* w, int64_t* sums) {
    constexpr size_t kBlock = 16 * kExactS16 / 2;
    for (size_t r = 0; r < kTileS16; ++r) sums[r] = 0;
    for (size_t from = 0; from < depth; from += kBlock) {
      const size_t to = depth - from < kBlock ? depth : from + kBlock;
      __m256i part[kTileS16] = {};
      for (size_t k = from; k < to; k += 16) {
        const __m256i weights = load(w + k);
        for (size_t r = 0; r < kTileS16; ++r) {
          const __m256i products = _mm256_madd_epi16(load(rows + r * depth + k), weights);
          part[r] = _mm256_add_epi32(part[r], products);
        }
      }
      for (size_t r = 0; r < kTileS16; ++r) sums[r] += sum_of(part[r]);
    }
  }
};

}  // namespace

extern const ConvS16Kernel conv_s16_x16_avx2;
constexpr ConvS16Kernel conv_s16_x16_avx2 = make_conv_s16<Dot>();

}  // namespace medulla
