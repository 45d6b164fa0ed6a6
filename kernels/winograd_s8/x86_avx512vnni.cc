// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd_s8/x86_blocks.h"

// Products by vpdpwssd, of 16 outputs at a time; the transforms are AVX2's.
namespace medulla {
namespace {

// Adds the products of a pair of channels, the same for 16 outputs. In assembly, for GCC 12
// otherwise keeps a copy of every sum on the stack.
inline __attribute__((always_inline)) void add_pair(const int16_t* v, __m512i u, __m512i& sum) {
  asm("vpdpwssd %2%{1to16%}, %1, %0"
      : "+v"(sum)
      : "v"(u), "m"(*reinterpret_cast<const int32_t*>(v)));
}

template <size_t kTiles, bool kAdd>
void multiply(const int16_t* v, size_t depth, const int16_t* u, size_t pairs, int32_t* m) {
  __m512i sums[kTiles];
#pragma GCC unroll 12
  for (size_t i = 0; i < kTiles; ++i) {
    sums[i] = kAdd ? _mm512_load_si512(m + i * kPanelS8) : _mm512_setzero_si512();
  }
#pragma GCC unroll 1
  for (size_t pair = 0; pair < pairs; ++pair, v += 2, u += 2 * kPanelS8) {
    const __m512i weights = _mm512_load_si512(u);
#pragma GCC unroll 12
    for (size_t i = 0; i < kTiles; ++i) add_pair(v + i * depth, weights, sums[i]);
  }
#pragma GCC unroll 12
  for (size_t i = 0; i < kTiles; ++i) _mm512_store_si512(m + i * kPanelS8, sums[i]);
}

struct Product {
  static constexpr size_t kGroup = 12;  // tiles: as many addresses as six registers can give
  static constexpr Multiply kMultiply[2][kGroup] = {
      {multiply<1, false>, multiply<2, false>, multiply<3, false>, multiply<4, false>,
       multiply<5, false>, multiply<6, false>, multiply<7, false>, multiply<8, false>,
       multiply<9, false>, multiply<10, false>, multiply<11, false>, multiply<12, false>},
      {multiply<1, true>, multiply<2, true>, multiply<3, true>, multiply<4, true>,
       multiply<5, true>, multiply<6, true>, multiply<7, true>, multiply<8, true>,
       multiply<9, true>, multiply<10, true>, multiply<11, true>, multiply<12, true>}};
};

}  // namespace

extern const ConvS8Kernel winograd_s8_f4_avx512vnni;
const ConvS8Kernel winograd_s8_f4_avx512vnni = kWinogradS8<Product>;

}  // namespace medulla
