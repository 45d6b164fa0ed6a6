// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX512VNNI_S8_H_
#define MEDULLA_KERNELS_X86_AVX512VNNI_S8_H_

#include <cstring>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx512_s8.h"

// Exact INT8 by vpdpbusd, which multiplies unsigned by signed bytes and adds four products to a sum
// without saturating; weights are packed in kQuadsS8.
namespace medulla {

constexpr size_t kTileRowsS8 = 6;    // rows and panels of a tile: 24 sums, 4 vectors of weights
constexpr size_t kTilePanelsS8 = 4;  // and one of inputs, of 32 registers

// to[i] = from[i] + 128. Nothing past `count` is read or written.
static inline void flip_s8(const int8_t* from, size_t count, uint8_t* to) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(kFlipS8));
  size_t i = 0;
  for (; count - i >= 64; i += 64) {
    _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_loadu_si512(from + i), flip));
  }
  if (i == count) return;
  const __mmask64 mask = byte_mask(count - i);
  const __m512i q = _mm512_maskz_loadu_epi8(mask, from + i);
  _mm512_mask_storeu_epi8(to + i, mask, _mm512_xor_si512(q, flip));
}

// sum += the four products of each lane. As the intrinsic, GCC 12 keeps a copy of every sum on the
// stack, at half the speed.
static inline __attribute__((always_inline)) void add_dots(__m512i& sum, __m512i x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
}

// The kRows rows from `a` on, which are as `rows` says, times kPanels panels of which the last has
// `width` channels.
template <size_t kRows, size_t kPanels>
static void tile_s8(const OutputS8& out, size_t row, size_t channel, size_t width,
                    const PanelS8* panel, size_t panel_bytes, const uint8_t* a,
                    const RowsS8& rows) {
  const PanelS8* panels[kPanels];
  const int8_t* w[kPanels];
  __m512i sums[kRows][kPanels];
#pragma GCC unroll 4
  for (size_t j = 0; j < kPanels; ++j) {
    panels[j] = panel_s8(panel, panel_bytes, j * kPanelS8);
    w[j] = panel_weights<int8_t>(*panels[j]);
    const __m512i bias = _mm512_load_si512(panels[j]->bias);
#pragma GCC unroll 6
    for (size_t i = 0; i < kRows; ++i) sums[i][j] = bias;
  }
  if (out.row_bias != nullptr) {
#pragma GCC unroll 6
    for (size_t i = 0; i < kRows; ++i) {
      const __m512i bias = _mm512_set1_epi32(out.row_bias[row + i]);
#pragma GCC unroll 4
      for (size_t j = 0; j < kPanels; ++j) sums[i][j] = _mm512_add_epi32(sums[i][j], bias);
    }
  }
  const size_t lda = rows.stride;
  size_t at = 0;
  for (size_t line = 0; line < rows.lines; ++line, a += rows.line_stride) {
    for (size_t k = 0; k < rows.depth; k += kQuadsS8.group, at += 64) {
      __m512i b[kPanels];
#pragma GCC unroll 4
      for (size_t j = 0; j < kPanels; ++j) b[j] = _mm512_load_si512(w[j] + at);
#pragma GCC unroll 6
      for (size_t i = 0; i < kRows; ++i) {
        int32_t values;
        std::memcpy(&values, a + i * lda + k, sizeof values);
        const __m512i x = _mm512_set1_epi32(values);
#pragma GCC unroll 4
        for (size_t j = 0; j < kPanels; ++j) add_dots(sums[i][j], x, b[j]);
      }
    }
  }
  store_tile<kRows, kPanels>(out, row, channel, width, panels, sums);
}

using TileS8Function = void (*)(const OutputS8& out, size_t row, size_t channel, size_t width,
                                const PanelS8* panel, size_t panel_bytes, const uint8_t* a,
                                const RowsS8& rows);

// Rows of `depth` bytes that a block keeps in scratch: they fill an eighth of a 1 MiB L2, so that
// weights that do not fit there are read once for many rows.
static inline size_t block_rows_s8(size_t depth) {
  const size_t rows = (size_t{1} << 17) / (depth + 1);
  if (rows < kTileRowsS8) return kTileRowsS8;
  return rows > 192 ? 192 : rows / kTileRowsS8 * kTileRowsS8;
}

// A BlockS8 of flipped rows.
static inline void run_block_s8(const OutputS8& out, size_t row, size_t channel, size_t channels,
                                const void* panels, const RowsS8& rows) {
#define MDL_TILES(rows) \
  { tile_s8<rows, 1>, tile_s8<rows, 2>, tile_s8<rows, 3>, tile_s8<rows, 4> }
  static constexpr TileS8Function kTiles[][kTilePanelsS8] = {MDL_TILES(1), MDL_TILES(2),
                                                             MDL_TILES(4), MDL_TILES(6)};
#undef MDL_TILES
  constexpr size_t kChannels = kTilePanelsS8 * kPanelS8;
  const auto* const a = static_cast<const uint8_t*>(rows.values);
  const size_t panel_bytes = panel_bytes_s8(kQuadsS8, rows.lines * rows.depth);
  for (size_t j = 0; j < channels; j += kChannels) {
    const size_t left = channels - j < kChannels ? channels - j : kChannels;
    const size_t count = (left + kPanelS8 - 1) / kPanelS8;
    const size_t width = left - (count - 1) * kPanelS8;
    const PanelS8* panel = panel_s8(panels, panel_bytes, j);
    for_each_tile_s8<kTileRowsS8>(rows.count, [&](size_t begin, size_t height) {
      kTiles[height / 2][count - 1](out, row + begin, channel + j, width, panel, panel_bytes,
                                    a + begin * rows.stride, rows);
    });
  }
}

namespace {  // so that what is instantiated with it stays in this file

// What gemm_s8/blocks.h, conv_s8/blocks.h and conv_s8/lines.h ask for.
struct BlocksS8 {
  using Value = uint8_t;
  using Rows = DenseRowsS8<Value>;
  static constexpr PackingS8 kPacking = kQuadsS8;
  static constexpr bool kTakesInputs = false;
  static constexpr size_t kRows = kTileRowsS8;
  static constexpr size_t kColumns = kTilePanelsS8 * kPanelS8;

  static size_t packed_bytes(const WeightsS8& w) { return packed_bytes_s8(w.n, w.k, kPacking); }
  static int32_t fold(int32_t zero_point) { return zero_point + kFlipS8; }
  static void pack(const WeightsS8& w, int32_t zero_point, void* packed) {
    pack_s8(w, kPacking, fold(zero_point), packed);
  }
  static const void* panels(const void* packed, size_t depth, size_t n) {
    return panel_s8(packed, panel_bytes_s8(kPacking, depth), n);
  }
  static Value padding(int32_t zero_point) { return static_cast<Value>(zero_point + kFlipS8); }
  static void take(const int8_t* from, size_t count, int32_t, Value* to) {
    flip_s8(from, count, to);
  }
  static constexpr auto block_rows = block_rows_s8;
  static size_t block_bytes(size_t depth) { return block_rows(depth) * depth * sizeof(Value); }
  static constexpr auto run_block = run_block_s8;
};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX512VNNI_S8_H_
