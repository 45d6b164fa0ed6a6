// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_S8_H_
#define MEDULLA_KERNELS_X86_AVX2_S8_H_

#include <cstring>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx2.h"

// Exact INT8 in vectors of 256 bits: tiles of six rows by a panel, for any product that takes four
// bytes of each factor; AVX2's own is PairsS8.
namespace medulla {

constexpr size_t kTileRowsS8 = 6;
constexpr size_t kPairS8 = 2;
constexpr PackingS8 kPairsS8 = {.group = kPairS8, .bytes = 2};

// to[i] = from[i] - zero_point. Neither reads nor writes past `count`: the last vector overlaps.
static inline void widen_s8(const int8_t* from, size_t count, int32_t zero_point, int16_t* to) {
  const __m256i zero = _mm256_set1_epi16(static_cast<int16_t>(zero_point));
  const auto sixteen = [&](size_t i) {
    const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_sub_epi16(_mm256_cvtepi8_epi16(q), zero));
  };
  const auto eight = [&](size_t i) {
    const __m128i q = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_sub_epi16(_mm_cvtepi8_epi16(q), _mm256_castsi256_si128(zero)));
  };
  if (count >= 16) {
    for (size_t i = 0; i + 16 <= count; i += 16) sixteen(i);
    if (count % 16 != 0) sixteen(count - 16);
  } else if (count >= 8) {
    eight(0);
    eight(count - 8);
  } else {
    for (size_t i = 0; i < count; ++i) to[i] = static_cast<int16_t>(from[i] - zero_point);
  }
}

// The first `width` bytes: two stores that overlap, for a copy through memory would wait for it.
static inline void store_columns(int8_t* to, size_t width, __m128i bytes) {
  alignas(32) static const uint8_t kWindow[24] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                  8, 9, 10, 11, 12, 13, 14, 15};
  const auto from = [&](size_t i) {
    const __m128i window = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kWindow + i));
    return _mm_shuffle_epi8(bytes, window);
  };
  const auto store_four = [&](size_t i) {
    const int32_t four = _mm_cvtsi128_si32(from(i));
    std::memcpy(to + i, &four, sizeof four);
  };
  if (width == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  } else if (width >= 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
    if (width == 8) return;
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + width - 8), from(width - 8));
  } else if (width >= 4) {
    store_four(0);
    store_four(width - 4);
  } else {
    for (size_t i = 0; i < width; ++i) {
      to[i] = static_cast<int8_t>(_mm_cvtsi128_si32(from(i)));
    }
  }
}

// Stores the sums of `width` channels from `channel` on, of kVecs times eight, of kRows rows.
template <size_t kRows, size_t kVecs>
static inline void store_s8_avx2(const OutputS8& out, size_t row, size_t channel, size_t width,
                                 const PanelS8& panel, const __m256i (&sums)[kRows][kVecs]) {
  static_assert(kVecs == 1 || kVecs == 2);
  __m256 scale[kVecs];
#pragma GCC unroll 2
  for (size_t j = 0; j < kVecs; ++j) scale[j] = _mm256_load_ps(panel.scale + 8 * j);
  const size_t stride = out.stride;
  if (out.s8 != nullptr) {
    const __m256i zero_point = _mm256_set1_epi16(static_cast<int16_t>(out.zero_point));
    const __m256i min = _mm256_set1_epi8(static_cast<char>(out.min));
    const __m256i max = _mm256_set1_epi8(static_cast<char>(out.max));
    // From four columns of both vectors and two rows in each half to one row.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    int8_t* to = out.s8 + row * stride + channel;
#pragma GCC unroll 4
    for (size_t i = 0; i < kRows; i += 2, to += 2 * stride) {
      const auto words = [&](const __m256i(&s)[kVecs]) {
        const __m256i low = round_sums(s[0], scale[0]);
        const __m256i high = kVecs == 2 ? round_sums(s[kVecs - 1], scale[kVecs - 1]) : low;
        return _mm256_adds_epi16(_mm256_packs_epi32(low, high), zero_point);
      };
      const __m256i both =
          _mm256_packs_epi16(words(sums[i]), words(sums[i + 1 < kRows ? i + 1 : i]));
      const __m256i bytes =
          _mm256_permutevar8x32_epi32(_mm256_min_epi8(_mm256_max_epi8(both, min), max), order);
      store_columns(to, width, _mm256_castsi256_si128(bytes));
      if (i + 1 < kRows) store_columns(to + stride, width, _mm256_extracti128_si256(bytes, 1));
    }
    return;
  }
  const __m256 lo = _mm256_set1_ps(out.lo);
  const __m256 hi = _mm256_set1_ps(out.hi);
  float* to = out.f32 + row * stride + channel;
#pragma GCC unroll 8
  for (size_t i = 0; i < kRows; ++i, to += stride) {
#pragma GCC unroll 2
    for (size_t j = 0; j < kVecs; ++j) {
      const size_t left = width > 8 * j ? width - 8 * j : 0;
      const __m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[i][j]), scale[j]);
      const __m256 v = clamp(_mm256_add_ps(t, _mm256_load_ps(panel.float_bias + 8 * j)), lo, hi);
      store_masked(to + 8 * j, lane_mask(left < 8 ? left : 8), v);
    }
  }
}

namespace {  // so that what is instantiated with these stays in its file

// Inputs and weights are widened to 16 bits and multiplied in pairs by vpmaddwd, whose sums cannot
// overflow.
struct PairsS8 {
  using Value = int16_t;
  static constexpr PackingS8 kPacking = kPairsS8;
  static constexpr bool kRowBias = false;

  static int32_t fold(int32_t) { return 0; }
  static Value padding(int32_t) { return 0; }
  static void take(const int8_t* from, size_t count, int32_t zero_point, Value* to) {
    widen_s8(from, count, zero_point, to);
  }
  static __m256i add(__m256i sum, __m256i x, __m256i w) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
  }
};

// The kRows rows from `a` on, which are as `rows` says, times a panel: 8 * kVecs channels of which
// `width` exist.
template <class Dots, size_t kRows, size_t kVecs>
void tile_s8(const OutputS8& out, size_t row, size_t channel, size_t width, const PanelS8& panel,
             const typename Dots::Value* a, const RowsS8& rows) {
  __m256i sums[kRows][kVecs];
#pragma GCC unroll 2
  for (size_t j = 0; j < kVecs; ++j) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kRows; ++i) {
      sums[i][j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel.bias) + j);
    }
  }
  if (Dots::kRowBias && out.row_bias != nullptr) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kRows; ++i) {
      const __m256i bias = _mm256_set1_epi32(out.row_bias[row + i]);
#pragma GCC unroll 2
      for (size_t j = 0; j < kVecs; ++j) sums[i][j] = _mm256_add_epi32(sums[i][j], bias);
    }
  }
  const __m256i* b = reinterpret_cast<const __m256i*>(panel_weights(panel));
  const size_t lda = rows.stride;
  for (size_t line = 0; line < rows.lines; ++line, a += rows.line_stride) {
    for (size_t k = 0; k < rows.depth; k += Dots::kPacking.group, b += 2) {
      __m256i w[kVecs];
#pragma GCC unroll 2
      for (size_t j = 0; j < kVecs; ++j) w[j] = _mm256_load_si256(b + j);
#pragma GCC unroll 8
      for (size_t i = 0; i < kRows; ++i) {
        int32_t values;
        std::memcpy(&values, a + i * lda + k, sizeof values);
        const __m256i x = _mm256_set1_epi32(values);
#pragma GCC unroll 2
        for (size_t j = 0; j < kVecs; ++j) sums[i][j] = Dots::add(sums[i][j], x, w[j]);
      }
    }
  }
  store_s8_avx2<kRows, kVecs>(out, row, channel, width, panel, sums);
}

// Rows of `depth` Values that a block keeps in scratch: half of a 32 KiB L1 if it can, so that they
// stay for all panels.
template <class Value>
size_t block_rows_s8(size_t depth) {
  const size_t rows = 16384 / sizeof(Value) / (depth + 1);
  if (rows < kTileRowsS8) return kTileRowsS8;
  return rows > 96 ? 96 : rows / kTileRowsS8 * kTileRowsS8;
}

// A BlockS8 of rows of Values.
template <class Dots>
void run_block_s8(const OutputS8& out, size_t row, size_t channel, size_t channels,
                  const void* panels, const RowsS8& rows) {
  using Value = typename Dots::Value;
  using Tile = void (*)(const OutputS8& out, size_t row, size_t channel, size_t width,
                        const PanelS8& panel, const Value* a, const RowsS8& rows);
  static constexpr Tile kOneVector[] = {tile_s8<Dots, 1, 1>, tile_s8<Dots, 2, 1>,
                                        tile_s8<Dots, 4, 1>, tile_s8<Dots, 6, 1>};
  static constexpr Tile kTwoVectors[] = {tile_s8<Dots, 1, 2>, tile_s8<Dots, 2, 2>,
                                         tile_s8<Dots, 4, 2>, tile_s8<Dots, 6, 2>};
  const auto* const a = static_cast<const Value*>(rows.values);
  const size_t panel_bytes = panel_bytes_s8(Dots::kPacking, rows.lines * rows.depth);
  for (size_t j = 0; j < channels; j += kPanelS8) {
    const PanelS8& panel = *panel_s8(panels, panel_bytes, j);
    const size_t width = channels - j < kPanelS8 ? channels - j : kPanelS8;
    const Tile* tiles = width <= 8 ? kOneVector : kTwoVectors;
    for_each_tile_s8<kTileRowsS8>(rows.count, [&](size_t begin, size_t height) {
      tiles[height / 2](out, row + begin, channel + j, width, panel, a + begin * rows.stride, rows);
    });
  }
}

// What gemm_s8/blocks.h, conv_s8/blocks.h and conv_s8/lines.h ask for.
template <class Dots>
struct BlocksS8 : Dots {
  using typename Dots::Value;
  using Rows = DenseRowsS8<Value>;
  using Dots::kPacking;
  static constexpr bool kTakesInputs = false;
  static constexpr size_t kRows = kTileRowsS8;
  static constexpr size_t kColumns = kPanelS8;

  static size_t packed_bytes(const WeightsS8& w) { return packed_bytes_s8(w.n, w.k, kPacking); }
  static void pack(const WeightsS8& w, int32_t zero_point, void* packed) {
    pack_s8(w, kPacking, Dots::fold(zero_point), packed);
  }
  static const void* panels(const void* packed, size_t depth, size_t n) {
    return panel_s8(packed, panel_bytes_s8(kPacking, depth), n);
  }
  static constexpr auto block_rows = block_rows_s8<Value>;
  static size_t block_bytes(size_t depth) { return block_rows(depth) * depth * sizeof(Value); }
  static constexpr auto run_block = run_block_s8<Dots>;
};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_S8_H_
