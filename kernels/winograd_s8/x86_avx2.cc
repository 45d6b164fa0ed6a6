// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd_s8/x86_blocks.h"

namespace medulla {
namespace {

// Adds the products of a pair of channels, the same for 16 outputs. In assembly, for compilers
// otherwise keep sums on the stack, at half the speed: 12 sums, two vectors of weights and these
// two temporaries are all 16 registers.
inline __attribute__((always_inline)) void add_pair(const int16_t* v, __m256i u0, __m256i u1,
                                                    __m256i& sum0, __m256i& sum1) {
  __m256i x;
  __m256i t;
  asm("vpbroadcastd %4, %2\n\t"
      "vpmaddwd %5, %2, %3\n\t"
      "vpmaddwd %6, %2, %2\n\t"
      "vpaddd %3, %0, %0\n\t"
      "vpaddd %2, %1, %1"
      : "+x"(sum0), "+x"(sum1), "=&x"(x), "=&x"(t)
      : "m"(*reinterpret_cast<const int32_t*>(v)), "x"(u0), "x"(u1));
}

template <size_t kTiles, bool kAdd>
void multiply(const int16_t* v, size_t depth, const int16_t* u, size_t pairs, int32_t* m) {
  __m256i* const to = reinterpret_cast<__m256i*>(m);
  __m256i sums[kTiles][2];
#pragma GCC unroll 6
  for (size_t i = 0; i < kTiles; ++i) {
    sums[i][0] = kAdd ? _mm256_load_si256(to + 2 * i) : _mm256_setzero_si256();
    sums[i][1] = kAdd ? _mm256_load_si256(to + 2 * i + 1) : _mm256_setzero_si256();
  }
#pragma GCC unroll 1
  for (size_t pair = 0; pair < pairs; ++pair, v += 2, u += 2 * kPanelS8) {
    const __m256i u0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(u));
    const __m256i u1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(u) + 1);
#pragma GCC unroll 6
    for (size_t i = 0; i < kTiles; ++i) add_pair(v + i * depth, u0, u1, sums[i][0], sums[i][1]);
  }
#pragma GCC unroll 6
  for (size_t i = 0; i < kTiles; ++i) {
    _mm256_store_si256(to + 2 * i, sums[i][0]);
    _mm256_store_si256(to + 2 * i + 1, sums[i][1]);
  }
}

struct Product {
  static constexpr size_t kGroup = 6;  // tiles: 12 sums of 8 outputs in registers
  static constexpr Multiply kMultiply[2][kGroup] = {
      {multiply<1, false>, multiply<2, false>, multiply<3, false>, multiply<4, false>,
       multiply<5, false>, multiply<6, false>},
      {multiply<1, true>, multiply<2, true>, multiply<3, true>, multiply<4, true>,
       multiply<5, true>, multiply<6, true>}};
};

}  // namespace

extern const ConvS8Kernel winograd_s8_f4_avx2;
const ConvS8Kernel winograd_s8_f4_avx2 = kWinogradS8<Product>;

}  // namespace medulla
