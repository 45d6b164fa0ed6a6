// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_SORTED_S8_H_
#define MEDULLA_KERNELS_X86_AVX2_SORTED_S8_H_

#include <cstring>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx2.h"
#include "kernels/x86_avx2_flip_s8.h"

// Exact INT8 on AVX2 by vpmaddubsw, where the weights prove that it cannot saturate. It multiplies
// unsigned by signed bytes and adds pairs of products in 16 bits; inputs are taken as u = q + 128,
// 0 <= u <= 255, and the biases are packed with 128 + z_in folded in.
//
// Four k of eight columns are a group, one vector of weights. Of a 16-bit lane let p be the sum of
// its positive weights and n that of its negative ones, negated; then the lane lies in [-255 n, 255
// p] and is exact if both are at most 128 (255 * 128 = 32640). So a group is one of
//   couple  two groups whose lanes are exact even when added: vpmaddubsw twice, vpaddw, then
//           vpmaddwd by ones
//   pair    one group with exact lanes: vpmaddubsw, vpmaddwd by ones
//   wide    any other: both factors widened to 16 bits, vpmaddwd twice
// Couples cost 5 instructions for 64 products, pairs 6, wide groups 8. Which bytes of a group share
// a lane is a choice of three, and most groups have an exact one; a row of inputs is kept in up to
// three orders of the bytes of its groups, and as 16-bit values.
//
// Packing sorts the groups of a panel by class and lists where in a row of inputs each reads, so
// that the kernel is three loops over one set of sums.
namespace medulla {

constexpr size_t kSortedRows = 12;
constexpr size_t kSortedColumns = 8;
constexpr size_t kSortedGroup = 4;
constexpr size_t kSortedOrders = 3;

// In front of a panel's weights, [groups][8 columns][4 k] as the classes follow each other; of a
// wide group [2][8 columns][2 k]. After them, for each group, the byte of a row where it reads.
struct alignas(64) SortedPanel {
  uint32_t bias[kSortedColumns];
  float scale[kSortedColumns];
  float float_bias[kSortedColumns];
  uint32_t couples;
  uint32_t pairs;
  uint32_t wides;
  uint32_t forms;  // that the panels of this matrix read: bit 1, 2 for orders, kWideForm
};
constexpr uint32_t kWideForm = 1u << kSortedOrders;

static inline size_t sorted_groups(size_t k) { return (k + kSortedGroup - 1) / kSortedGroup; }

static inline size_t sorted_panel_bytes(size_t groups) {
  return sizeof(SortedPanel) + (groups * (32 + sizeof(uint32_t)) + 63) / 64 * 64;
}

static inline size_t sorted_packed_bytes(const WeightsS8& w) {
  return (w.n + kSortedColumns - 1) / kSortedColumns * sorted_panel_bytes(sorted_groups(w.k));
}

static inline SortedPanel* sorted_panel(void* packed, size_t panel_bytes, size_t channel) {
  return reinterpret_cast<SortedPanel*>(static_cast<unsigned char*>(packed) +
                                        channel / kSortedColumns * panel_bytes);
}

static inline __m256i* sorted_weights(SortedPanel* panel) {
  return reinterpret_cast<__m256i*>(panel + 1);
}

static inline uint32_t* sorted_places(SortedPanel* panel, size_t groups) {
  return reinterpret_cast<uint32_t*>(sorted_weights(panel) + groups);
}

// Twelve rows of inputs are a panel too: three orders of [groups][12 rows][4 k] bytes, then
// [groups][12 rows][4 k] 16-bit values, and what is written past the last group.
constexpr size_t kSortedStep = kSortedRows * kSortedGroup;
static inline size_t sorted_form_bytes(size_t groups) { return groups * kSortedStep; }
static inline size_t sorted_rows_bytes(size_t groups) {
  return (kSortedOrders + 2) * sorted_form_bytes(groups) + 4 * kSortedStep;
}

namespace {  // each file has its own

using SortedValue __attribute__((may_alias, aligned(1))) = int32_t;

inline const SortedValue& four_bytes(const uint8_t* p) {
  return *reinterpret_cast<const SortedValue*>(p);
}

// One row's share of a group. In assembly, for compilers otherwise keep a copy of some sums on the
// stack, at half the speed.
inline __attribute__((always_inline)) void add_couple(__m256i& sum, const uint8_t* x,
                                                      const uint8_t* y, __m256i w, const __m256i& v,
                                                      __m256i ones) {
  __m256i s;
  __m256i t;
  asm("vpbroadcastd %[x], %[s]\n\t"
      "vpbroadcastd %[y], %[t]\n\t"
      "vpmaddubsw %[w], %[s], %[s]\n\t"
      "vpmaddubsw %[v], %[t], %[t]\n\t"
      "vpaddw %[t], %[s], %[s]\n\t"
      "vpmaddwd %[ones], %[s], %[s]\n\t"
      "vpaddd %[s], %[sum], %[sum]"
      : [sum] "+x"(sum), [s] "=&x"(s), [t] "=&x"(t)
      : [x] "m"(four_bytes(x)), [y] "m"(four_bytes(y)), [w] "x"(w), [v] "m"(v), [ones] "x"(ones));
}

inline __attribute__((always_inline)) void add_single(__m256i& sum, const uint8_t* x, __m256i w,
                                                      __m256i ones) {
  __m256i s;
  asm("vpbroadcastd %[x], %[s]\n\t"
      "vpmaddubsw %[w], %[s], %[s]\n\t"
      "vpmaddwd %[ones], %[s], %[s]\n\t"
      "vpaddd %[s], %[sum], %[sum]"
      : [sum] "+x"(sum), [s] "=&x"(s)
      : [x] "m"(four_bytes(x)), [w] "x"(w), [ones] "x"(ones));
}

inline __attribute__((always_inline)) void add_wide(__m256i& sum, const uint8_t* x, __m256i w,
                                                    __m256i v) {
  __m256i s;
  __m256i t;
  asm("vpbroadcastd %[x], %[s]\n\t"
      "vpbroadcastd %[y], %[t]\n\t"
      "vpmaddwd %[w], %[s], %[s]\n\t"
      "vpmaddwd %[v], %[t], %[t]\n\t"
      "vpaddd %[s], %[sum], %[sum]\n\t"
      "vpaddd %[t], %[sum], %[sum]"
      : [sum] "+x"(sum), [s] "=&x"(s), [t] "=&x"(t)
      : [x] "m"(four_bytes(x)), [y] "m"(four_bytes(x + 4)), [w] "x"(w), [v] "x"(v));
}

__attribute__((noinline)) void store_floats(const OutputS8& out, size_t row, size_t channel,
                                            size_t width, const SortedPanel& panel,
                                            const __m256i* sums, size_t rows) {
  const __m256 lo = _mm256_set1_ps(out.lo);
  const __m256 hi = _mm256_set1_ps(out.hi);
  for (size_t i = 0; i < rows; ++i) {
    const __m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[i]), _mm256_load_ps(panel.scale));
    const __m256 v = _mm256_add_ps(t, _mm256_load_ps(panel.float_bias));
    store_masked(out.f32 + (row + i) * out.stride + channel, lane_mask(width), clamp(v, lo, hi));
  }
}

// The first `width` of eight columns of `rows` rows.
__attribute__((noinline)) void copy_columns(const uint64_t* from, size_t rows, size_t width,
                                            size_t stride, int8_t* to) {
  for (size_t i = 0; i < rows; ++i, to += stride) {
    uint64_t bytes = from[i];
    if (width >= 4) {
      std::memcpy(to, &bytes, 4);
      bytes >>= 8 * (width - 4);
      std::memcpy(to + width - 4, &bytes, 4);
    } else {
      for (size_t j = 0; j < width; ++j, bytes >>= 8) to[j] = static_cast<int8_t>(bytes);
    }
  }
}

// Stores `rows` rows, kRows or one less.
template <size_t kRows>
inline void store_sorted(const OutputS8& out, size_t row, size_t rows, size_t channel, size_t width,
                         const SortedPanel& panel, const __m256i (&sums)[kRows]) {
  if (out.s8 == nullptr) {
    __m256i copy[kRows];  // not sums itself: what has its address taken is kept in memory
#pragma GCC unroll 12
    for (size_t i = 0; i < kRows; ++i) copy[i] = sums[i];
    store_floats(out, row, channel, width, panel, copy, rows);
    return;
  }
  const __m256 scale = _mm256_load_ps(panel.scale);
  const __m256i zero_point = _mm256_set1_epi16(static_cast<int16_t>(out.zero_point));
  const __m256i min = _mm256_set1_epi8(static_cast<char>(out.min));
  const __m256i max = _mm256_set1_epi8(static_cast<char>(out.max));
  // Where columns are missing, rows go to `part` first.
  alignas(16) uint64_t part[kRows];
  int8_t* const whole = out.s8 + row * out.stride + channel;
  const bool is_whole = width == kSortedColumns;
  const size_t stride = is_whole ? out.stride : kSortedColumns;
  int8_t* to = is_whole ? whole : reinterpret_cast<int8_t*>(part);
#pragma GCC unroll 3
  for (size_t i = 0; i < kRows; i += 4, to += 4 * stride) {
    constexpr size_t kLast = kRows - 1;
    const size_t two = i + 1 < kLast ? i + 2 : i;
    const __m256i low =
        _mm256_packs_epi32(round_sums(sums[i], scale), round_sums(sums[i + 1], scale));
    const __m256i high =
        _mm256_packs_epi32(round_sums(sums[two], scale), round_sums(sums[two + 1], scale));
    const __m256i both =
        _mm256_packs_epi16(_mm256_adds_epi16(low, zero_point), _mm256_adds_epi16(high, zero_point));
    const __m256i bytes = _mm256_min_epi8(_mm256_max_epi8(both, min), max);
    // Each half of `bytes` holds four columns of four rows.
    const __m128i left = _mm256_castsi256_si128(bytes);
    const __m128i right = _mm256_extracti128_si256(bytes, 1);
    const __m128 first = _mm_castsi128_ps(_mm_unpacklo_epi32(left, right));
    const __m128 second = _mm_castsi128_ps(_mm_unpackhi_epi32(left, right));
    const auto row_at = [&](size_t j) { return reinterpret_cast<__m64*>(to + j * stride); };
    _mm_storel_pi(row_at(0), first);
    if (i + 1 < kLast || rows == kRows) _mm_storeh_pi(row_at(1), first);
    if (i + 1 >= kLast) continue;
    _mm_storel_pi(row_at(2), second);
    if (i + 3 < kLast || rows == kRows) _mm_storeh_pi(row_at(3), second);
  }
  if (!is_whole) copy_columns(part, rows, width, out.stride, whole);
}

// The first kRows rows at `a` times a panel of which `width` columns exist; `rows` of them, kRows
// or one less, are stored.
template <size_t kRows>
__attribute__((noinline)) void tile_sorted(const OutputS8& out, size_t row, size_t rows,
                                           size_t channel, size_t width, const SortedPanel& panel,
                                           size_t groups, const uint8_t* a) {
  static_assert(kRows % 2 == 0 && kRows <= kSortedRows);
  __m256i sums[kRows];
#pragma GCC unroll 12
  for (size_t i = 0; i < kRows; ++i) {
    sums[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel.bias));
  }
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i* w = reinterpret_cast<const __m256i*>(&panel + 1);
  const uint32_t* place = reinterpret_cast<const uint32_t*>(w + groups);
  const uint32_t* end = place + 2 * size_t{panel.couples};
#pragma GCC unroll 1
  for (; place != end; place += 2, w += 2) {
    const uint8_t* const x = a + place[0];
    const uint8_t* const y = a + place[1];
    const __m256i first = _mm256_load_si256(w);
#pragma GCC unroll 12
    for (size_t i = 0; i < kRows; ++i) {
      add_couple(sums[i], x + 4 * i, y + 4 * i, first, w[1], ones);
    }
  }
  end += panel.pairs;
#pragma GCC unroll 1
  for (; place != end; ++place, ++w) {
    const uint8_t* const x = a + *place;
    const __m256i weights = _mm256_load_si256(w);
#pragma GCC unroll 12
    for (size_t i = 0; i < kRows; ++i) add_single(sums[i], x + 4 * i, weights, ones);
  }
  end += panel.wides;
#pragma GCC unroll 1
  for (; place != end; ++place, ++w) {
    const uint8_t* const x = a + *place;
    const __m128i* const halves = reinterpret_cast<const __m128i*>(w);
    const __m256i first = _mm256_cvtepi8_epi16(_mm_load_si128(halves));
    const __m256i second = _mm256_cvtepi8_epi16(_mm_load_si128(halves + 1));
#pragma GCC unroll 12
    for (size_t i = 0; i < kRows; ++i) add_wide(sums[i], x + 8 * i, first, second);
  }
  store_sorted<kRows>(out, row, rows, channel, width, panel, sums);
}

// The bytes of each group in order `order`.
inline __m256i in_order(__m256i groups, size_t order) {
  if (order == 0) return groups;
  const int32_t bytes = order == 1 ? 0x03010200 : 0x02010300;  // of four, the first lowest
  const __m256i step = _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c, 0, 0x04040404,
                                         0x08080808, 0x0c0c0c0c);
  return _mm256_shuffle_epi8(groups, _mm256_add_epi8(_mm256_set1_epi32(bytes), step));
}

// Blocks are cut into tiles of nearly equal height, each a panel of inputs.
inline size_t sorted_tiles(size_t rows) { return (rows + kSortedRows - 1) / kSortedRows; }

inline size_t sorted_row_bytes(size_t depth) { return (depth + 15) / 16 * 16; }
inline size_t sorted_front_bytes(size_t depth) { return kSortedRows * sorted_row_bytes(depth); }

// Four rows of 16 bytes to four groups of four rows, kSortedStep apart.
inline void transpose(const uint8_t* rows, size_t row_bytes, uint8_t* to) {
  const auto load = [&](size_t i) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(rows + i * row_bytes));
  };
  const auto store = [&](size_t group, __m128i v) {
    _mm_store_si128(reinterpret_cast<__m128i*>(to + group * kSortedStep), v);
  };
  const __m128i a = _mm_unpacklo_epi32(load(0), load(1));
  const __m128i b = _mm_unpackhi_epi32(load(0), load(1));
  const __m128i c = _mm_unpacklo_epi32(load(2), load(3));
  const __m128i d = _mm_unpackhi_epi32(load(2), load(3));
  store(0, _mm_unpacklo_epi64(a, c));
  store(1, _mm_unpackhi_epi64(a, c));
  store(2, _mm_unpacklo_epi64(b, d));
  store(3, _mm_unpackhi_epi64(b, d));
}

// The forms that the panels of `packed` read of the rows that were gathered. What one writes past
// its end, the next one writes again.
inline void arrange_rows(const void* packed, const uint8_t* rows, size_t depth, uint8_t* to) {
  const uint32_t forms = static_cast<const SortedPanel*>(packed)->forms;
  const size_t groups = depth / kSortedGroup;
  const size_t row_bytes = sorted_row_bytes(depth);
  for (size_t group = 0; group < groups; group += 4) {
    for (size_t row = 0; row < kSortedRows; row += 4) {
      transpose(rows + row * row_bytes + group * kSortedGroup, row_bytes,
                to + group * kSortedStep + row * kSortedGroup);
    }
  }
  const size_t bytes = sorted_form_bytes(groups);
  for (size_t order = 1; order < kSortedOrders; ++order) {
    if ((forms >> order & 1) == 0) continue;
    for (size_t i = 0; i < bytes; i += 32) {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(to + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + order * bytes + i), in_order(v, order));
    }
  }
  if ((forms & kWideForm) == 0) return;
  for (size_t i = 0; i < bytes; i += 16) {
    const __m128i v = _mm_load_si128(reinterpret_cast<const __m128i*>(to + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + kSortedOrders * bytes + 2 * i),
                        _mm256_cvtepu8_epi16(v));
  }
}

// Rows of a block, whose panels take half of a 512 KiB L2 if they can.
inline size_t sorted_block_rows(size_t depth) {
  const size_t panels = (size_t{1} << 18) / sorted_rows_bytes(depth / kSortedGroup);
  return (panels < 1 ? 1 : panels > 16 ? 16 : panels) * kSortedRows;
}

// Rows are gathered in front of the panels of their block; when there are as many as a tile has,
// they make the next panel.
struct SortedBlock {
  const void* packed;
  uint8_t* front;
  uint8_t* panel;
  size_t depth;
  size_t rows;
  size_t tiles;
  size_t tile = 0;
  size_t row = 0;
  size_t end;  // of the tile
  uint8_t* to;

  SortedBlock(const void* weights, void* scratch, size_t count, size_t values)
      : packed(weights),
        front(static_cast<uint8_t*>(scratch)),
        panel(front + sorted_front_bytes(values)),
        depth(values),
        rows(count),
        tiles(sorted_tiles(count)),
        end(rows / tiles),
        to(front) {}
  uint8_t* next() const { return to; }
  void done() {
    to += sorted_row_bytes(depth);
    if (++row < end) return;
    arrange_rows(packed, front, depth, panel);
    panel += sorted_rows_bytes(depth / kSortedGroup);
    end = (++tile + 1) * rows / tiles;
    to = front;
  }
};

using TileSorted = void (*)(const OutputS8& out, size_t row, size_t rows, size_t channel,
                            size_t width, const SortedPanel& panel, size_t groups,
                            const uint8_t* a);

// A BlockS8; the rows lie as SortedBlock has put them.
inline void run_sorted(const OutputS8& out, size_t row, size_t channel, size_t channels,
                       const void* panels, const RowsS8& rows) {
  static constexpr TileSorted kTiles[] = {tile_sorted<2>, tile_sorted<4>,  tile_sorted<6>,
                                          tile_sorted<8>, tile_sorted<10>, tile_sorted<12>};
  const size_t groups = rows.depth / kSortedGroup;
  const size_t panel_bytes = sorted_panel_bytes(groups);
  const size_t tiles = sorted_tiles(rows.count);
  for (size_t j = 0; j < channels; j += kSortedColumns) {
    const SortedPanel& panel = *reinterpret_cast<const SortedPanel*>(
        static_cast<const unsigned char*>(panels) + j / kSortedColumns * panel_bytes);
    const size_t width = channels - j < kSortedColumns ? channels - j : kSortedColumns;
    const uint8_t* a = static_cast<const uint8_t*>(rows.values) + sorted_front_bytes(rows.depth);
    for (size_t tile = 0; tile < tiles; ++tile, a += sorted_rows_bytes(groups)) {
      const size_t begin = tile * rows.count / tiles;
      const size_t count = (tile + 1) * rows.count / tiles - begin;
      kTiles[(count - 1) / 2](out, row + begin, count, channel + j, width, panel, groups, a);
    }
  }
}

// What gemm_s8/blocks.h and conv_s8/blocks.h ask for, but for packing.
struct RowsSorted {
  using Value = uint8_t;
  using Rows = SortedBlock;
  static constexpr PackingS8 kPacking = kQuadsS8;  // but for the order of groups
  static constexpr size_t kRows = kSortedRows;
  static constexpr size_t kColumns = kSortedColumns;

  static const void* panels(const void* packed, size_t depth, size_t n) {
    return static_cast<const unsigned char*>(packed) +
           n / kColumns * sorted_panel_bytes(depth / kSortedGroup);
  }
  static Value padding(int32_t zero_point) { return static_cast<Value>(zero_point + kFlipS8); }
  static constexpr auto block_rows = sorted_block_rows;
  static size_t block_bytes(size_t depth) {
    return sorted_front_bytes(depth) +
           block_rows(depth) / kRows * sorted_rows_bytes(depth / kSortedGroup);
  }
  static void take(const int8_t* from, size_t count, int32_t, Value* to) {
    flip_s8(from, count, to);
  }
  static constexpr auto run_block = run_sorted;
};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_SORTED_S8_H_
