// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX512_S8_H_
#define MEDULLA_KERNELS_X86_AVX512_S8_H_

#include "kernels/s8.h"
#include "kernels/x86_avx512.h"

// Outputs of INT8 sums in vectors of 512 bits.
namespace medulla {

static inline __mmask64 byte_mask(size_t count) {
  return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
}

// Bounds and zero point of an output of bytes. Clamping after rounding is the same as before, for
// the bounds are whole numbers; conversion takes what is too small to the least int32, and what is
// too large is held to `most`, which is more than any bound.
namespace {  // each ISA has its own
struct QuantizeS8 {
  __m512 most;
  __m512i zero_point;
  __m512i min;
  __m512i max;
};
}  // namespace

static inline QuantizeS8 load_quantize_s8(const OutputS8& out) {
  return {_mm512_set1_ps(1024), _mm512_set1_epi16(static_cast<int16_t>(out.zero_point)),
          _mm512_set1_epi8(static_cast<char>(out.min)),
          _mm512_set1_epi8(static_cast<char>(out.max))};
}

static inline __m512i round_sums(__m512i sums, __m512 scale, const QuantizeS8& to) {
  const __m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale);
  return _mm512_cvtps_epi32(_mm512_min_ps(t, to.most));
}

// quantize_s8 of four vectors of sums; each lane of 16 bytes holds that lane's sums of all four.
static inline __m512i quantize_sums(__m512i a, __m512i b, __m512i c, __m512i d,
                                    const float* scale_a, const float* scale_b,
                                    const float* scale_c, const float* scale_d,
                                    const QuantizeS8& to) {
  const __m512i ab = _mm512_packs_epi32(round_sums(a, _mm512_load_ps(scale_a), to),
                                        round_sums(b, _mm512_load_ps(scale_b), to));
  const __m512i cd = _mm512_packs_epi32(round_sums(c, _mm512_load_ps(scale_c), to),
                                        round_sums(d, _mm512_load_ps(scale_d), to));
  const __m512i bytes = _mm512_packs_epi16(_mm512_adds_epi16(ab, to.zero_point),
                                           _mm512_adds_epi16(cd, to.zero_point));
  return _mm512_min_epi8(_mm512_max_epi8(bytes, to.min), to.max);
}

// The first `count` bytes.
static inline void store_bytes(int8_t* to, size_t count, __m512i v) {
  if (count == 64) {
    _mm512_storeu_si512(to, v);
  } else if (count == 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(v));
  } else if (count == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(v));
  } else {
    _mm512_mask_storeu_epi8(to, byte_mask(count), v);
  }
}

static inline void store_floats(const OutputS8& out, size_t to, size_t width, const float* scale,
                                const float* float_bias, __m512i sums) {
  const __m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_load_ps(scale));
  const __m512 v = _mm512_add_ps(t, _mm512_load_ps(float_bias));
  const __m512 above = _mm512_max_ps(_mm512_set1_ps(out.lo), v);
  _mm512_mask_storeu_ps(out.f32 + to, static_cast<__mmask16>(byte_mask(width)),
                        _mm512_min_ps(_mm512_set1_ps(out.hi), above));
}

// Stores kRows rows of the sums of kPanels panels, the last of which has `width` channels.
template <size_t kRows, size_t kPanels>
static inline void store_tile(const OutputS8& out, size_t row, size_t channel, size_t width,
                              const PanelS8* const (&panels)[kPanels],
                              const __m512i (&sums)[kRows][kPanels]) {
  if (out.s8 == nullptr) {
#pragma GCC unroll 6
    for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (size_t j = 0; j < kPanels; ++j) {
        store_floats(out, (row + i) * out.stride + channel + j * kPanelS8,
                     j + 1 < kPanels ? kPanelS8 : width, panels[j]->scale, panels[j]->float_bias,
                     sums[i][j]);
      }
    }
    return;
  }
  const QuantizeS8 quantize = load_quantize_s8(out);
  // From four bytes of each panel in a lane to sixteen of one.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  constexpr size_t kB = kPanels > 1 ? 1 : 0;
  constexpr size_t kC = kPanels > 2 ? 2 : 0;
  constexpr size_t kD = kPanels > 3 ? 3 : kB;
#pragma GCC unroll 6
  for (size_t i = 0; i < kRows; ++i) {
    const __m512i bytes =
        quantize_sums(sums[i][0], sums[i][kB], sums[i][kC], sums[i][kD], panels[0]->scale,
                      panels[kB]->scale, panels[kC]->scale, panels[kD]->scale, quantize);
    store_bytes(out.s8 + (row + i) * out.stride + channel, (kPanels - 1) * kPanelS8 + width,
                _mm512_permutexvar_epi32(order, bytes));
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX512_S8_H_
