// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX2_SORTED_PACK_S8_H_
#define MEDULLA_KERNELS_X86_AVX2_SORTED_PACK_S8_H_

#include "kernels/x86_avx2_sorted_s8.h"

// Packing for x86_avx2_sorted_s8.h: sorts the groups of each panel into classes, in linear time.
namespace medulla {
namespace {

// Groups among which couples are sought.
constexpr size_t kSortedWindow = 64;

struct SortedWindow {
  alignas(32) uint8_t bytes[kSortedWindow][32];  // [8 columns][4 k]
  // Sums of the positive and of the negated negative weights of each lane, at most 255.
  alignas(32) uint8_t lanes[kSortedWindow][kSortedOrders][32];
  uint8_t worst[kSortedWindow][kSortedOrders];  // the largest of these
  uint8_t best[kSortedWindow];                  // the order in which that is least
  __m256i sums;                                 // of all weights that were read, by column
};

inline __m256i load_bytes(const uint8_t* p) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
}

// The largest of 32 bytes.
inline uint8_t largest_byte(__m256i v) {
  const __m128i ends = _mm_set1_epi8(-1);
  const __m128i most = _mm_max_epu8(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i left = _mm_sub_epi8(ends, most);  // 255 less each
  const __m128i least = _mm_minpos_epu16(_mm_min_epu8(left, _mm_srli_epi16(left, 8)));
  return static_cast<uint8_t>(255 - _mm_cvtsi128_si32(least));
}

// Group `g` of columns [n, n + 8): [8 columns][4 k], zero points where there are no weights.
inline __m256i read_group(const WeightsS8& w, size_t n, size_t g, __m256i zero_points) {
  alignas(32) uint8_t bytes[32];
  const size_t k = g * kSortedGroup;
  const size_t count = w.k - k < kSortedGroup ? w.k - k : kSortedGroup;
  const size_t columns = w.n - n < kSortedColumns ? w.n - n : kSortedColumns;
  _mm256_store_si256(reinterpret_cast<__m256i*>(bytes), zero_points);
  for (size_t j = 0; j < columns; ++j) {
    const int8_t* const from = w.w + (n + j) * w.n_stride + k * w.k_stride;
    for (size_t l = 0; l < count; ++l) {
      bytes[j * kSortedGroup + l] = static_cast<uint8_t>(from[l * w.k_stride]);
    }
  }
  return load_bytes(bytes);
}

// Eight groups that are there in full, whose k follow each other in memory.
inline void read_groups(const int8_t* from, size_t stride, __m256i* groups) {
  const auto load = [&](size_t j) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + j * stride));
  };
  for (size_t half = 0; half < 2; ++half) {  // the even groups' couples, then the odd ones'
    __m256i t[4];
    for (size_t j = 0; j < 4; ++j) {
      const __m256i x = load(2 * j), y = load(2 * j + 1);
      t[j] = half == 0 ? _mm256_unpacklo_epi32(x, y) : _mm256_unpackhi_epi32(x, y);
    }
    for (size_t odd = 0; odd < 2; ++odd) {
      const auto join = [&](__m256i x, __m256i y) {
        return odd == 0 ? _mm256_unpacklo_epi64(x, y) : _mm256_unpackhi_epi64(x, y);
      };
      const __m256i front = join(t[0], t[1]), back = join(t[2], t[3]);
      groups[2 * half + odd] = _mm256_permute2x128_si256(front, back, 0x20);
      groups[2 * half + odd + 4] = _mm256_permute2x128_si256(front, back, 0x31);
    }
  }
}

// Entry `i` of the window.
inline void weigh_group(__m256i bytes, __m256i zero_points, SortedWindow* window, size_t i) {
  const __m256i weights = _mm256_sub_epi8(bytes, zero_points);
  _mm256_store_si256(reinterpret_cast<__m256i*>(window->bytes[i]), weights);
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256i pairs = _mm256_maddubs_epi16(ones, weights);
  window->sums = _mm256_add_epi32(window->sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  uint8_t best = 0;
  for (size_t order = 0; order < kSortedOrders; ++order) {
    const __m256i x = in_order(weights, order);
    const __m256i positive = _mm256_max_epi8(x, _mm256_setzero_si256());
    const __m256i negative = _mm256_sub_epi8(positive, x);
    const __m256i lanes = _mm256_packus_epi16(_mm256_maddubs_epi16(positive, ones),
                                              _mm256_maddubs_epi16(negative, ones));
    _mm256_store_si256(reinterpret_cast<__m256i*>(window->lanes[i][order]), lanes);
    const uint8_t worst = largest_byte(lanes);
    window->worst[i][order] = worst;
    best = worst < window->worst[i][best] ? static_cast<uint8_t>(order) : best;
  }
  window->best[i] = best;
}

inline void read_window(const WeightsS8& w, size_t n, size_t first, size_t count,
                        __m256i zero_points, SortedWindow* window) {
  constexpr size_t kAtOnce = 8;
  const bool in_rows = w.k_stride == 1 && w.n - n >= kSortedColumns;
  for (size_t i = 0; i < count;) {
    const size_t k = (first + i) * kSortedGroup;
    if (in_rows && count - i >= kAtOnce && w.k - k >= kAtOnce * kSortedGroup) {
      __m256i groups[kAtOnce];
      read_groups(w.w + n * w.n_stride + k, w.n_stride, groups);
      for (const __m256i& group : groups) weigh_group(group, zero_points, window, i++);
    } else {
      weigh_group(read_group(w, n, first + i, zero_points), zero_points, window, i);
      ++i;
    }
  }
}

constexpr uint8_t kMostInLane = 128;

// Whether groups x and y, each in its order, are exact when added.
inline bool exact_together(const SortedWindow& window, size_t x, size_t order_x, size_t y,
                           size_t order_y) {
  const __m256i sums =
      _mm256_adds_epu8(load_bytes(window.lanes[x][order_x]), load_bytes(window.lanes[y][order_y]));
  const __m256i over = _mm256_subs_epu8(sums, _mm256_set1_epi8(static_cast<char>(kMostInLane)));
  return _mm256_testz_si256(over, over) != 0;
}

// What sorting writes: couples from the front, the other groups from the back.
struct SortedList {
  __m256i* weights;
  uint32_t* places;
  size_t form_bytes;
  size_t front;
  size_t back;

  void put(size_t at, const SortedWindow& window, size_t i, size_t group, size_t order) {
    _mm256_store_si256(weights + at, in_order(load_bytes(window.bytes[i]), order));
    places[at] = static_cast<uint32_t>(order * form_bytes + group * kSortedStep);
  }
  void put_wide(size_t at, const SortedWindow& window, size_t i, size_t group) {
    const __m256i apart = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0,
                                           1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    const __m256i halves = _mm256_shuffle_epi8(load_bytes(window.bytes[i]), apart);
    _mm256_store_si256(weights + at, _mm256_permute4x64_epi64(halves, 0xD8));
    places[at] = static_cast<uint32_t>(kSortedOrders * form_bytes + group * kSortedStep * 2);
  }
  void swap(size_t i, size_t j) {
    const __m256i w = _mm256_load_si256(weights + i);
    _mm256_store_si256(weights + i, _mm256_load_si256(weights + j));
    _mm256_store_si256(weights + j, w);
    const uint32_t place = places[i];
    places[i] = places[j];
    places[j] = place;
  }
};

// Couples the groups of a window, which begins with group `first`: the heaviest with one of the
// lightest, which is the best choice where the heaviest lane alone decides.
inline void couple_window(const SortedWindow& window, size_t first, size_t count,
                          SortedList* list) {
  constexpr size_t kTries = 8;
  uint8_t begins[kMostInLane + 2] = {};
  const auto worst = [&](size_t i) { return window.worst[i][window.best[i]]; };
  for (size_t i = 0; i < count; ++i) {
    if (worst(i) <= kMostInLane) ++begins[worst(i) + 1];
  }
  for (size_t i = 0; i <= kMostInLane; ++i) begins[i + 1] += begins[i];
  uint8_t by_weight[kSortedWindow];
  for (size_t i = 0; i < count; ++i) {
    if (worst(i) <= kMostInLane) {
      by_weight[begins[worst(i)]++] = static_cast<uint8_t>(i);
    } else {
      list->put_wide(--list->back, window, i, first + i);
    }
  }
  size_t light = 0;
  size_t heavy = begins[kMostInLane];
  while (light < heavy) {
    const size_t x = by_weight[--heavy];
    const auto couple = [&](size_t y) {
      for (size_t order_x = 0; order_x < kSortedOrders; ++order_x) {
        if (window.worst[x][order_x] > kMostInLane) continue;
        for (size_t order_y = 0; order_y < kSortedOrders; ++order_y) {
          if (!exact_together(window, x, order_x, y, order_y)) continue;
          list->put(list->front, window, x, first + x, order_x);
          list->put(list->front + 1, window, y, first + y, order_y);
          list->front += 2;
          return true;
        }
      }
      return false;
    };
    const size_t end = heavy - light < kTries ? heavy : light + kTries;
    size_t at = light;
    while (at < end && !couple(by_weight[at])) ++at;
    if (at < end) {
      by_weight[at] = by_weight[light++];
      continue;
    }
    size_t order = 0;
    while (window.worst[x][order] > kMostInLane) ++order;
    list->put(--list->back, window, x, first + x, order);
  }
}

// Columns [n, n + 8) to a panel that is all 0. Returns the forms that it reads.
inline uint32_t pack_panel(const WeightsS8& w, size_t n, int32_t fold, SortedPanel* panel) {
  const size_t columns = w.n - n < kSortedColumns ? w.n - n : kSortedColumns;
  alignas(32) uint32_t zero_points[kSortedColumns] = {};
  for (size_t j = 0; j < columns; ++j) {
    std::memset(zero_points + j, zero_point_of(w, n + j) & 0xff, sizeof *zero_points);
  }
  const size_t groups = sorted_groups(w.k);
  SortedList list = {sorted_weights(panel), sorted_places(panel, groups), sorted_form_bytes(groups),
                     0, groups};
  const __m256i zeros = _mm256_load_si256(reinterpret_cast<const __m256i*>(zero_points));
  SortedWindow window;
  window.sums = _mm256_setzero_si256();
  for (size_t first = 0; first < groups; first += kSortedWindow) {
    const size_t count = groups - first < kSortedWindow ? groups - first : kSortedWindow;
    read_window(w, n, first, count, zeros, &window);
    couple_window(window, first, count, &list);
  }
  alignas(32) uint32_t sums[kSortedColumns];
  _mm256_store_si256(reinterpret_cast<__m256i*>(sums), window.sums);
  for (size_t j = 0; j < columns; ++j) {
    const ChannelS8 channel = channel_s8(w, n + j, fold, sums[j]);
    panel->bias[j] = channel.bias;
    panel->scale[j] = channel.scale;
    panel->float_bias[j] = channel.float_bias;
  }
  // Behind the couples, pairs and wide groups are still mixed.
  const auto is_wide = [&](size_t i) { return list.places[i] >= kSortedOrders * list.form_bytes; };
  size_t wide = groups;
  for (size_t i = list.front; i < wide;) {
    if (!is_wide(i)) {
      ++i;
    } else if (is_wide(wide - 1)) {
      --wide;
    } else {
      list.swap(i++, --wide);
    }
  }
  panel->couples = static_cast<uint32_t>(list.front / 2);
  panel->pairs = static_cast<uint32_t>(wide - list.front);
  panel->wides = static_cast<uint32_t>(groups - wide);
  uint32_t forms = wide < groups ? kWideForm : 0;
  for (size_t i = 0; i < wide; ++i) forms |= 1u << list.places[i] / list.form_bytes;
  return forms;
}

inline void pack_sorted(const WeightsS8& w, int32_t in_zero_point, void* packed) {
  const size_t panel_bytes = sorted_panel_bytes(sorted_groups(w.k));
  std::memset(packed, 0, sorted_packed_bytes(w));
  uint32_t forms = 0;
  for (size_t n = 0; n < w.n; n += kSortedColumns) {
    forms |= pack_panel(w, n, in_zero_point + kFlipS8, sorted_panel(packed, panel_bytes, n));
  }
  for (size_t n = 0; n < w.n; n += kSortedColumns) {
    sorted_panel(packed, panel_bytes, n)->forms = forms;
  }
}

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVX2_SORTED_PACK_S8_H_
