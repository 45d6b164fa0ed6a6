// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_GEMM_F32_H_
#define MEDULLA_KERNELS_X86_AVX2_GEMM_F32_H_

#include "kernels/x86_avx2.h"

// The register tile of gemm_f32 and conv_f32, and the blocks around it.
namespace medulla {

constexpr size_t kTileRows = 6;
constexpr size_t kTileColumns = 16;

// What a tile reads and writes: column j of its row i is c[i * ldc + j]. The accumulators start
// from the biases if `first`, else from c; residual and clamp follow if `last`.
struct TileF32 {
  const float* b;  // the first weights; `panel` floats to those of the next panel
  const float* bias;
  size_t panel;
  float* c;
  size_t ldc;
  const float* residual;  // or null
  size_t ldr;
  size_t columns;  // that exist
  float lo;
  float hi;
  bool first;
  bool last;
};

// kRows x (8 * kVecs) outputs over `taps` times `length` products. Row i of a tap begins at
// a[tap * kRows + i] + a_offset; a panel holds 16 weights for each k, two vectors.
template <size_t kRows, size_t kVecs>
static void tile_f32(const TileF32& t, const float* const* a, size_t a_offset, size_t taps,
                     size_t length) {
  const bool whole = t.columns >= 8 * kVecs;
  const __m256i tail = lane_mask(whole ? 8 : t.columns - 8 * (kVecs - 1));
  const size_t ldc = t.ldc;
  float* const c = t.c;
  __m256 acc[kRows][kVecs];
  if (t.first) {
#pragma GCC unroll 8
    for (size_t j = 0; j < kVecs; ++j) {
      const __m256 bias = _mm256_loadu_ps(t.bias + j / 2 * t.panel + j % 2 * 8);
#pragma GCC unroll 8
      for (size_t i = 0; i < kRows; ++i) acc[i][j] = bias;
    }
  } else {
#pragma GCC unroll 8
    for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) {
        const float* from = c + i * ldc + j * 8;
        acc[i][j] = whole || j < kVecs - 1 ? _mm256_loadu_ps(from) : load_masked(from, tail);
      }
    }
  }

  const float* b = t.b;
  const size_t panel = t.panel;
  for (size_t tap = 0; tap < taps; ++tap, a += kRows) {
    const float* row[kRows];
#pragma GCC unroll 8
    for (size_t i = 0; i < kRows; ++i) row[i] = a[i] + a_offset;
#pragma GCC unroll 2
    for (size_t k = 0; k < length; ++k, b += kTileColumns) {
      __m256 w[kVecs];
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) w[j] = _mm256_loadu_ps(b + j / 2 * panel + j % 2 * 8);
#pragma GCC unroll 8
      for (size_t i = 0; i < kRows; ++i) {
        const __m256 x = _mm256_broadcast_ss(row[i] + k);
#pragma GCC unroll 8
        for (size_t j = 0; j < kVecs; ++j) acc[i][j] = _mm256_fmadd_ps(x, w[j], acc[i][j]);
      }
    }
  }

  if (t.last) {
    if (t.residual != nullptr) {
      const float* const residual = t.residual;
      const size_t ldr = t.ldr;
#pragma GCC unroll 8
      for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (size_t j = 0; j < kVecs; ++j) {
          const float* from = residual + i * ldr + j * 8;
          acc[i][j] = _mm256_add_ps(
              acc[i][j], whole || j < kVecs - 1 ? _mm256_loadu_ps(from) : load_masked(from, tail));
        }
      }
    }
    const __m256 lo = _mm256_set1_ps(t.lo);
    const __m256 hi = _mm256_set1_ps(t.hi);
#pragma GCC unroll 8
    for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) acc[i][j] = clamp(acc[i][j], lo, hi);
    }
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (size_t j = 0; j < kVecs; ++j) {
      float* to = c + i * ldc + j * 8;
      if (whole || j < kVecs - 1) {
        _mm256_storeu_ps(to, acc[i][j]);
      } else {
        store_masked(to, tail, acc[i][j]);
      }
    }
  }
}

using TileF32Function = void (*)(const TileF32& t, const float* const* a, size_t a_offset,
                                 size_t taps, size_t length);

// How many of `left` rows the next tile takes: no tile is so low that its chains wait, unless
// there are no more rows than that.
static inline size_t tile_rows(size_t left) {
  if (left >= 2 * kTileRows) return kTileRows;
  return left > kTileRows ? (left + 1) / 2 : left;
}

// A block of rows by a range of panels. Weights of a panel: its biases, then taps x channels rows.
struct BlockF32 {
  const float* b;  // the first panel of the range
  size_t taps;
  size_t channels;
  size_t a_offset;  // floats added to every pointer
  float* c;
  size_t ldc;
  const float* residual;
  size_t ldr;
  size_t columns;
  float lo;
  float hi;
  bool go_on;  // the chains of c
};

// A run of weights this long times 64 bytes takes half of a 32 KiB L1 and stays there for all
// tiles of the block.
constexpr size_t kBlockDepth = 256;
// Rows of A of this depth take 96 KiB: they stay in L2 for all panels.
constexpr size_t kBlockRows = 96;

static inline void run_tiles_f32(const BlockF32& g, TileF32 t, const float* const* a, size_t rows,
                                 size_t tap0, size_t taps, size_t channel0, size_t channels) {
  static constexpr TileF32Function kOneVector[] = {tile_f32<1, 1>, tile_f32<2, 1>, tile_f32<3, 1>,
                                                   tile_f32<4, 1>, tile_f32<5, 1>, tile_f32<6, 1>};
  static constexpr TileF32Function kOnePanel[] = {tile_f32<1, 2>, tile_f32<2, 2>, tile_f32<3, 2>,
                                                  tile_f32<4, 2>, tile_f32<5, 2>, tile_f32<6, 2>};
  for (size_t column = 0; column < g.columns;) {
    const size_t left = g.columns - column;
    size_t width = left < kTileColumns ? left : kTileColumns;
    TileF32Function few = nullptr;  // one or two rows take several panels, to have chains enough
    if (rows == 1 && left >= 4 * kTileColumns) {
      few = tile_f32<1, 8>;
      width = 4 * kTileColumns;
    } else if (rows == 2 && left >= 2 * kTileColumns) {
      few = tile_f32<2, 4>;
      width = 2 * kTileColumns;
    }
    t.bias = g.b + column / kTileColumns * t.panel;
    t.b = t.bias + (1 + tap0 * g.channels + channel0) * kTileColumns;
    t.columns = width;
    const TileF32Function* by_rows = width <= 8 ? kOneVector : kOnePanel;
    for (size_t row = 0; row < rows;) {
      const size_t height = tile_rows(rows - row);
      t.c = g.c + row * g.ldc + column;
      t.residual = g.residual != nullptr ? g.residual + row * g.ldr + column : nullptr;
      const TileF32Function tile = few != nullptr ? few : by_rows[height - 1];
      tile(t, a + row * g.taps + tap0 * height, g.a_offset + channel0, taps, channels);
      row += height;
    }
    column += width;
  }
}

// `a` holds the tiles' pointers, tile after tile: for each tap the beginning of each of its rows.
static void run_block_f32(const BlockF32& g, const float* const* a, size_t rows) {
  TileF32 t = {};
  t.panel = (1 + g.taps * g.channels) * kTileColumns;
  t.ldc = g.ldc;
  t.ldr = g.ldr;
  t.lo = g.lo;
  t.hi = g.hi;
  const size_t depth = g.taps * g.channels;
  // Between blocks of k the chains wait in C, where the residual may lie.
  if (rows <= kTileRows || depth <= 2 * kBlockDepth || g.residual != nullptr) {
    t.first = !g.go_on;
    t.last = true;
    run_tiles_f32(g, t, a, rows, 0, g.taps, 0, g.channels);
    return;
  }
  const size_t channel_step = g.channels < kBlockDepth ? g.channels : kBlockDepth;
  const size_t tap_step = kBlockDepth / channel_step;
  for (size_t tap = 0; tap < g.taps; tap += tap_step) {
    const size_t taps = g.taps - tap < tap_step ? g.taps - tap : tap_step;
    for (size_t channel = 0; channel < g.channels; channel += channel_step) {
      const size_t left = g.channels - channel;
      const size_t channels = left < channel_step ? left : channel_step;
      t.first = tap == 0 && channel == 0 && !g.go_on;
      t.last = tap + taps == g.taps && channel + channels == g.channels;
      run_tiles_f32(g, t, a, rows, tap, taps, channel, channels);
    }
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_GEMM_F32_H_
