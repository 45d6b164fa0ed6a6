// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AMX_S8_H_
#define MEDULLA_KERNELS_X86_AMX_S8_H_

#include <cstring>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx512_s8.h"

// Exact INT8 by tdpbssd, which multiplies a tile of 16 rows of 64 signed bytes by one of 64 k of 16
// columns and adds to 16x16 sums, wrapping. Inputs are taken as they are, and z_in is folded into
// the biases. Weights in groups of four k of a panel's 16 columns are tiles as they stand; the
// depth is cut into equal steps of at most 64, so that no tile is cut off.
namespace medulla {
namespace {  // so that what is instantiated with these stays in its file

constexpr size_t kTileS8 = 16;  // rows of a tile
constexpr PackingS8 kStepsS8 = {.group = 4, .bytes = 1, .part = 16};
constexpr size_t kBlockTilesS8 = 2;  // by so many panels, computed together

// What ldtilecfg reads.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles 0 to 3 are sums [tile][panel], 4 and 5 rows of inputs, 6 and 7 panels.
inline void configure_tiles(size_t rows, size_t step) {
  TileConfig config;
  for (size_t i = 0; i < 8; ++i) {
    config.rows[i] = static_cast<uint8_t>(i < 6 ? rows : step / kStepsS8.group);
    config.row_bytes[i] = static_cast<uint16_t>(i == 4 || i == 5 ? step : 64);
  }
  // GCC 12's intrinsics do not say what memory they read.
  asm volatile("" ::: "memory");
  _tile_loadconfig(&config);
}

constexpr size_t kSumColumns = kBlockTilesS8 * kPanelS8;
using SumsS8 = int32_t[kBlockTilesS8 * kTileS8][kSumColumns];

// The rows that begin at `a` and `b` times the panels whose weights are `v` and `w`.
template <size_t kTiles, size_t kPanels>
void multiply_tiles(const int8_t* a, const int8_t* b, const int8_t* v, const int8_t* w,
                    const RowsS8& rows, size_t step, SumsS8& sums) {
  _tile_zero(0);
  if (kPanels > 1) _tile_zero(1);
  if (kTiles > 1) _tile_zero(2);
  if (kTiles > 1 && kPanels > 1) _tile_zero(3);
  const size_t stride = rows.stride;
  const size_t depth = rows.depth;
  for (size_t line = 0; line < rows.lines; ++line) {
    for (size_t k = 0; k < depth; k += step, v += step * kPanelS8, w += step * kPanelS8) {
      _tile_loadd(6, v, 64);
      _tile_loadd(4, a + k, stride);
      _tile_dpbssd(0, 4, 6);
      if (kPanels > 1) {
        _tile_loadd(7, w, 64);
        _tile_dpbssd(1, 4, 7);
      }
      if (kTiles > 1) {
        _tile_loadd(5, b + k, stride);
        _tile_dpbssd(2, 5, 6);
      }
      if (kTiles > 1 && kPanels > 1) _tile_dpbssd(3, 5, 7);
    }
    a += rows.line_stride;
    b += rows.line_stride;
  }
  _tile_stored(0, sums[0], sizeof sums[0]);
  if (kPanels > 1) _tile_stored(1, sums[0] + kPanelS8, sizeof sums[0]);
  if (kTiles > 1) _tile_stored(2, sums[kTileS8], sizeof sums[0]);
  if (kTiles > 1 && kPanels > 1) _tile_stored(3, sums[kTileS8] + kPanelS8, sizeof sums[0]);
}

// The outputs of kRows rows of sums from `from` on.
template <size_t kRows, size_t kPanels>
void store_sums(const OutputS8& out, size_t row, size_t channel, size_t width,
                const PanelS8* const (&panels)[kPanels], const int32_t (*from)[kSumColumns]) {
  __m512i sums[kRows][kPanels];
#pragma GCC unroll 4
  for (size_t i = 0; i < kRows; ++i) {
    const __m512i row_bias = _mm512_set1_epi32(out.row_bias != nullptr ? out.row_bias[row + i] : 0);
#pragma GCC unroll 2
    for (size_t j = 0; j < kPanels; ++j) {
      const __m512i bias = _mm512_add_epi32(row_bias, _mm512_load_si512(panels[j]->bias));
      sums[i][j] = _mm512_add_epi32(_mm512_load_si512(from[i] + j * kPanelS8), bias);
    }
  }
  store_tile<kRows, kPanels>(out, row, channel, width, panels, sums);
}

// Rows [row, row + count) of one tile: four at a time, of which the last four may come twice.
template <size_t kPanels>
void store_rows(const OutputS8& out, size_t row, size_t count, size_t channel, size_t width,
                const PanelS8* const (&panels)[kPanels], const int32_t (*from)[kSumColumns]) {
  if (count < 4) {
    for (size_t i = 0; i < count; ++i) {
      store_sums<1, kPanels>(out, row + i, channel, width, panels, from + i);
    }
    return;
  }
  for (size_t i = 0; i < count; i += 4) {
    const size_t at = i + 4 <= count ? i : count - 4;
    store_sums<4, kPanels>(out, row + at, channel, width, panels, from + at);
  }
}

// All rows times kPanels panels, the last of which has `width` channels. Tiles of `height` rows, of
// which the last may begin among those of the one before.
template <size_t kPanels>
void run_panels(const OutputS8& out, size_t row, size_t channel, size_t width, const PanelS8* panel,
                size_t panel_bytes, const RowsS8& rows, size_t height, size_t step) {
  const auto* const a = static_cast<const int8_t*>(rows.values);
  const PanelS8* const last = panel_s8(panel, panel_bytes, (kPanels - 1) * kPanelS8);
  const PanelS8* panels[kPanels];
  panels[0] = panel;
  panels[kPanels - 1] = last;
  const int8_t* const v = panel_weights<int8_t>(*panel);
  const int8_t* const w = panel_weights<int8_t>(*last);
  alignas(64) SumsS8 sums;
  const auto begin_of = [&](size_t tile) {
    return tile + height <= rows.count ? tile : rows.count - height;
  };
  for (size_t i = 0; i < rows.count; i += kBlockTilesS8 * height) {
    const size_t first = begin_of(i);
    const int8_t* const from = a + first * rows.stride;
    if (i + height < rows.count) {
      const size_t second = begin_of(i + height);
      multiply_tiles<2, kPanels>(from, a + second * rows.stride, v, w, rows, step, sums);
      store_rows<kPanels>(out, row + second, height, channel, width, panels, sums + kTileS8);
    } else {
      multiply_tiles<1, kPanels>(from, from, v, w, rows, step, sums);
    }
    store_rows<kPanels>(out, row + first, height, channel, width, panels, sums);
  }
}

// A BlockS8 of rows of inputs.
void run_block_s8(const OutputS8& out, size_t row, size_t channel, size_t channels,
                  const void* panels, const RowsS8& rows) {
  constexpr size_t kChannels = kBlockTilesS8 * kPanelS8;
  const size_t height = rows.count < kTileS8 ? rows.count : kTileS8;
  const size_t most = kStepsS8.group * kStepsS8.part;
  const size_t steps = (rows.depth + most - 1) / most;
  if (height == 0 || steps == 0) return;
  const size_t step = rows.depth / steps;
  const size_t panel_bytes = panel_bytes_s8(kStepsS8, rows.lines * rows.depth);
  configure_tiles(height, step);
  for (size_t j = 0; j < channels; j += kChannels) {
    const size_t left = channels - j;
    const PanelS8* const panel = panel_s8(panels, panel_bytes, j);
    if (left > kPanelS8) {
      const size_t width = (left < kChannels ? left : kChannels) - kPanelS8;
      run_panels<2>(out, row, channel + j, width, panel, panel_bytes, rows, height, step);
    } else {
      run_panels<1>(out, row, channel + j, left, panel, panel_bytes, rows, height, step);
    }
  }
  _tile_release();
}

// What gemm_s8/blocks.h, conv_s8/blocks.h and conv_s8/lines.h ask for.
struct BlocksS8 {
  using Value = int8_t;
  using Rows = DenseRowsS8<Value>;
  static constexpr PackingS8 kPacking = kStepsS8;
  static constexpr bool kTakesInputs = true;
  static constexpr size_t kRows = kBlockTilesS8 * kTileS8;
  static constexpr size_t kColumns = kBlockTilesS8 * kPanelS8;

  static size_t packed_bytes(const WeightsS8& w) { return packed_bytes_s8(w.n, w.k, kPacking); }
  static int32_t fold(int32_t zero_point) { return zero_point; }
  static void pack(const WeightsS8& w, int32_t zero_point, void* packed) {
    pack_s8(w, kPacking, fold(zero_point), packed);
  }
  static const void* panels(const void* packed, size_t depth, size_t n) {
    return panel_s8(packed, panel_bytes_s8(kPacking, depth), n);
  }
  static Value padding(int32_t zero_point) { return static_cast<Value>(zero_point); }
  static void take(const int8_t* from, size_t count, int32_t, Value* to) {
    std::memcpy(to, from, count);
  }
  // An eighth of a 1 MiB L2, as for vectors.
  static size_t block_rows(size_t depth) {
    const size_t rows = (size_t{1} << 17) / (depth + 1);
    if (rows < kRows) return kRows;
    return rows > 192 ? 192 : rows / kRows * kRows;
  }
  static size_t block_bytes(size_t depth) { return block_rows(depth) * depth * sizeof(Value); }
  static constexpr auto run_block = run_block_s8;
};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AMX_S8_H_
