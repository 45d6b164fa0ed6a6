// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/gemm_s8.h"

#include <cstring>

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const GemmS8Kernel name;
#include "medulla_rows/gemm_s8.inc"
#undef MDL_KERNEL

namespace {

// Rows that take weights of 16 bits need no biases of rows: see qmatmul.cc.
const char* gemm_s8_fits_any(const GemmS8Problem& p) {
  return p.row_bias ? "takes no biases of rows" : nullptr;
}

// Unused where no ISA of the target has such a row.
[[maybe_unused]] const char* gemm_s8_fits_sorted(const GemmS8Problem& p) {
  if (!p.constant_weights) return "sorting weights for one run does not pay";
  // Few groups have few couples, and few panels do not pay for arranging rows of inputs; measured
  // on Zen 4.
  if (p.k < 64 || (p.k < 128 && p.n < 128)) return "few weights to sort";
  return p.row_bias ? gemm_s8_fits_any(p) : fits_narrow_s8(p);
}

[[maybe_unused]] const char* gemm_s8_fits_tiles(const GemmS8Problem& p) {
  const char* const refusal = tiles_refusal_s8(p.m, p.n, p.k);
  return refusal != nullptr ? refusal : fits_narrow_s8(p);
}

constexpr GemmS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/gemm_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const GemmS8Row> gemm_s8_rows() { return kRows; }

// By count, for Sapphire Rapids: 64 products of 16 rows by 16 columns take 16 cycles, 128 with
// vpdpbusd; but the sums pass through memory, some 30 cycles, and tiles are set up for each block.
const char* tiles_refusal_s8(size_t m, size_t n, size_t k) {
  if (m < 8) return "few rows for tiles";
  if (n < 12) return "few columns for tiles";
  if (k < 32) return "few products for tiles";
  return m * n * k >= size_t{1} << 15 ? nullptr : "setting up tiles does not pay";
}

bool weights_fit_s8(const WeightsS8& w) {
  if (w.zero_points == nullptr) return true;
  for (size_t n = 0; n < w.n; ++n) {
    const int32_t zero_point = zero_point_of(w, n);
    if (zero_point == 0) continue;
    for (size_t k = 0; k < w.k; ++k) {
      const int value = w.w[k * w.k_stride + n * w.n_stride] - zero_point;
      if (value != static_cast<int8_t>(value)) return false;
    }
  }
  return true;
}

uint64_t largest_weight_sum_s8(const WeightsS8& w) {
  constexpr size_t kPart = size_t{1} << 20;  // values whose sum fits 32 bits
  uint64_t largest = 0;
  for (size_t n = 0; n < w.n; ++n) {
    const int32_t zero_point = zero_point_of(w, n);
    const int8_t* const values = w.w + n * w.n_stride;
    uint64_t sum = 0;
    for (size_t k = 0; k < w.k; k += kPart) {
      const size_t end = w.k - k < kPart ? w.k : k + kPart;
      uint32_t part = 0;
      for (size_t i = k; i < end; ++i) {
        const int value = values[i * w.k_stride] - zero_point;
        part += static_cast<uint32_t>(value < 0 ? -value : value);
      }
      sum += part;
    }
    largest = sum > largest ? sum : largest;
  }
  return largest;
}

namespace {

// The k of a packed channel.
size_t packed_depth(size_t k, PackingS8 packing, size_t lines) {
  return lines * depth_s8(packing, k / lines);
}

}  // namespace

size_t packed_bytes_s8(size_t n, size_t k, PackingS8 packing, size_t lines) {
  return (n + kPanelS8 - 1) / kPanelS8 * panel_bytes_s8(packing, packed_depth(k, packing, lines));
}

namespace {

// Moves groups of kGroup weights of type T to `step` values apart, kPart weights at a time: vectors
// take them off their zero point, then every group is four bytes that move.
template <size_t kPart, size_t kGroup, class T>
void pack_parts(const int8_t** from, size_t* left, T zero_point, size_t step, T** to) {
  static_assert(kGroup * sizeof(T) == sizeof(uint32_t));
  for (; *left >= kPart; *left -= kPart, *from += kPart) {
    int8_t values[kPart];
    std::memcpy(values, *from, kPart);
    T part[kPart];
    for (size_t i = 0; i < kPart; ++i) part[i] = static_cast<T>(values[i] - zero_point);
    for (size_t i = 0; i < kPart; i += kGroup, *to += step) {
      std::memcpy(*to, part + i, sizeof(uint32_t));
    }
  }
}

// `count` contiguous weights.
template <size_t kGroup, class T>
void pack_groups(const int8_t* from, size_t count, int32_t zero_point, size_t step, T* to) {
  const T z = static_cast<T>(zero_point);
  pack_parts<64, kGroup>(&from, &count, z, step, &to);
  pack_parts<16, kGroup>(&from, &count, z, step, &to);
  pack_parts<kGroup, kGroup>(&from, &count, z, step, &to);
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i] - z);
}

// The weights of channel `n`, column `j` of a panel whose weights begin at `to`.
void pack_channel(const WeightsS8& w, size_t n, PackingS8 packing, size_t j, void* to) {
  const int32_t zero_point = zero_point_of(w, n);
  const int8_t* const from = w.w + n * w.n_stride;
  const size_t step = packing.group * kPanelS8;
  int8_t* const narrow = static_cast<int8_t*>(to) + j * packing.group;
  int16_t* const wide = static_cast<int16_t*>(to) + j * packing.group;
  if (w.k_stride == 1 && packing.bytes == 1 && packing.group == 4) {
    pack_groups<4>(from, w.k, zero_point, step, narrow);
  } else if (w.k_stride == 1 && packing.bytes == 2 && packing.group == 2) {
    pack_groups<2>(from, w.k, zero_point, step, wide);
  } else {
    for (size_t k = 0; k < w.k; ++k) {
      const size_t at = k / packing.group * step + k % packing.group;
      const int value = from[k * w.k_stride] - zero_point;
      if (packing.bytes == 1) {
        narrow[at] = static_cast<int8_t>(value);
      } else {
        wide[at] = static_cast<int16_t>(value);
      }
    }
  }
}

// The weights of `width` channels from `n` on, which stand side by side, to a panel's place for
// them, in groups that are 32 bits; sums[j] is the sum over k of channel n + j. With fixed trip
// counts and local arrays, so that compilers make vectors of the loops.
template <size_t kGroup>
void pack_columns(const WeightsS8& w, size_t n, size_t width, unsigned char* to, uint32_t* sums) {
  constexpr size_t kBits = 32 / kGroup;
  const int32_t zero_point = zero_point_of(w, n);
  for (size_t k = 0; k < w.k; k += kGroup, to += 4 * kPanelS8) {
    uint32_t words[kPanelS8] = {};
    for (size_t i = 0; i < kGroup; ++i) {
      int8_t from[kPanelS8];
      const int8_t* const values = w.w + (k + i) * w.k_stride + n;
      if (k + i < w.k && width == kPanelS8) {
        std::memcpy(from, values, kPanelS8);
      } else {
        std::memset(from, zero_point, kPanelS8);
        if (k + i < w.k) std::memcpy(from, values, width);
      }
      for (size_t j = 0; j < kPanelS8; ++j) {
        const uint32_t value = static_cast<uint32_t>(from[j] - zero_point);
        sums[j] += value;
        words[j] |= (kBits == 8 ? value & 0xFF : value & 0xFFFF) << (kBits * i);
      }
    }
    std::memcpy(to, words, sizeof words);
  }
}

}  // namespace

void pack_s8(const WeightsS8& w, PackingS8 packing, int32_t fold, void* packed, size_t lines) {
  const size_t depth = packed_depth(w.k, packing, lines);
  const size_t line_bytes = depth / lines * kPanelS8 * packing.bytes;
  const bool one_zero_point = w.zero_points == nullptr || w.zero_point_step == 0;
  const bool is_word = packing.group * packing.bytes == 4 && packing.bytes < 4;
  const bool by_columns = w.n_stride == 1 && one_zero_point && is_word && lines == 1;
  unsigned char* to = static_cast<unsigned char*>(packed);
  const size_t panel_bytes = panel_bytes_s8(packing, depth);
  WeightsS8 line = w;
  line.k = w.k / lines;
  for (size_t n0 = 0; n0 < w.n; n0 += kPanelS8, to += panel_bytes) {
    const size_t width = w.n - n0 < kPanelS8 ? w.n - n0 : kPanelS8;
    PanelS8* const panel = reinterpret_cast<PanelS8*>(to);
    if (width < kPanelS8 || panel_bytes > sizeof(PanelS8) + w.k * kPanelS8 * packing.bytes) {
      std::memset(to, 0, panel_bytes);
    }
    if (by_columns) {
      uint32_t sums[kPanelS8] = {};
      unsigned char* const weights = to + sizeof(PanelS8);
      packing.group == 2 ? pack_columns<2>(w, n0, width, weights, sums)
                         : pack_columns<4>(w, n0, width, weights, sums);
      for (size_t j = 0; j < width; ++j) {
        set_channel(panel, j, channel_s8(w, n0 + j, fold, sums[j]));
      }
      continue;
    }
    for (size_t j = 0; j < width; ++j) {
      for (size_t l = 0; l < lines; ++l) {
        line.w = w.w + l * line.k * w.k_stride;
        pack_channel(line, n0 + j, packing, j, to + sizeof(PanelS8) + l * line_bytes);
      }
      set_channel(panel, j, channel_s8(w, n0 + j, fold));
    }
  }
}

}  // namespace medulla
