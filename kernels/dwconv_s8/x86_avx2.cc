// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv.h"
#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx2_s8.h"

namespace medulla {
namespace {

// Two taps at a time: their inputs interleaved, so that vpmaddwd adds both products of a channel.
// Inputs are taken as they are, their zero point is in the biases; padding reads a row of zero
// points.
//
// Outputs of a kernel three wide share the interleaved columns of a row, a pair of columns each, if
// these are next to each other. What an output's three weights meet begins on the first column of
// a pair or on the second, so they are packed in four ways.
size_t even(size_t taps) { return (taps + 1) / 2 * 2; }

bool shares_rows(const ConvGeometry& c) {
  return c.kernel_w == 3 && c.stride_w <= 2 && c.dilation_w == 1;
}

constexpr size_t kWays = 4;
constexpr size_t kNone = 3;
constexpr size_t kColumns[kWays][kPairS8] = {{0, 1}, {2, kNone}, {kNone, 0}, {1, 2}};

// Pairs of weights of a channel.
size_t pairs_of(const ConvGeometry& c) {
  return shares_rows(c) ? c.kernel_h * kWays : even(c.kernel_h * c.kernel_w) / 2;
}

size_t panel_bytes(const ConvGeometry& c) { return panel_bytes_s8(kPairsS8, pairs_of(c) * 2); }

// Where the row of zero points begins.
size_t panels_bytes(const ConvGeometry& c) {
  return (c.out_channels + kPanelS8 - 1) / kPanelS8 * panel_bytes(c);
}

size_t packed_bytes(const ConvGeometry& c, const WeightsS8&) {
  return panels_bytes(c) + c.in_channels;
}

void pack_ways(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point,
               unsigned char* packed) {
  std::memset(packed, 0, panels_bytes(c));
  for (size_t n = 0; n < w.n; ++n) {
    PanelS8* const panel = reinterpret_cast<PanelS8*>(packed + n / kPanelS8 * panel_bytes(c));
    set_channel(panel, n % kPanelS8, channel_s8(w, n, in_zero_point));
    int16_t* to = reinterpret_cast<int16_t*>(panel + 1) + n % kPanelS8 * kPairS8;
    for (size_t ky = 0; ky < c.kernel_h; ++ky) {
      const int8_t* const row = w.w + n * w.n_stride + ky * 3 * w.k_stride;
      for (size_t way = 0; way < kWays; ++way, to += kPairS8 * kPanelS8) {
        for (size_t i = 0; i < kPairS8; ++i) {
          const size_t kx = kColumns[way][i];
          if (kx == kNone) continue;
          to[i] = static_cast<int16_t>(row[kx * w.k_stride] - zero_point_of(w, n));
        }
      }
    }
  }
}

void pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point, void* packed) {
  unsigned char* const bytes = static_cast<unsigned char*>(packed);
  if (shares_rows(c)) {
    pack_ways(c, w, in_zero_point, bytes);
  } else {
    pack_s8(w, kPairsS8, in_zero_point, packed);
  }
  std::memset(bytes + panels_bytes(c), in_zero_point & 0xff, c.in_channels);
}

using Tap = DwConvTap<int8_t>;

size_t scratch_bytes(const ConvGeometry& c) { return even(c.kernel_h * c.kernel_w) * sizeof(Tap); }

template <bool kWhole>
inline __m128i load(const int8_t* in, size_t width) {
  if constexpr (kWhole) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
  if (width == 8) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in));
  alignas(16) int8_t part[kPanelS8] = {};
  std::memcpy(part, in, width);
  return _mm_load_si128(reinterpret_cast<const __m128i*>(part));
}

// The interleaved inputs of two taps, 16 channels.
struct Pair {
  __m256i low;
  __m256i high;
};

template <bool kWhole>
inline Pair interleave(const int8_t* first, const int8_t* second, size_t width) {
  const __m128i p = load<kWhole>(first, width);
  const __m128i q = load<kWhole>(second, width);
  return {_mm256_cvtepi8_epi16(_mm_unpacklo_epi8(p, q)),
          _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(p, q))};
}

// In assembly, for GCC 12 otherwise copies each sum.
inline __attribute__((always_inline)) void add_products(__m256i& sum, __m256i x, const __m256i& w) {
  __m256i product;
  asm("vpmaddwd %[w], %[x], %[product]\n\t"
      "vpaddd %[product], %[sum], %[sum]"
      : [sum] "+x"(sum), [product] "=&x"(product)
      : [x] "x"(x), [w] "m"(w));
}

// What a tile computes: channels [channel, channel + width) of outputs from the x-th of a run on,
// which begins at output `pixel`.
struct Tile {
  const PanelS8* panel;
  const Tap* taps;
  size_t pixel;
  size_t x;
  size_t channel;
  size_t width;
};

template <size_t kOutputs>
inline void load_biases(const PanelS8& panel, __m256i (&sums)[kOutputs][2]) {
#pragma GCC unroll 4
  for (size_t i = 0; i < kOutputs; ++i) {
    sums[i][0] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel.bias));
    sums[i][1] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel.bias) + 1);
  }
}

template <size_t kOutputs>
inline void store(const ConvS8& a, const Tile& t, const PanelS8& panel,
                  const __m256i (&sums)[kOutputs][2]) {
  __m256i copy[kOutputs][2];  // not sums itself: what has its address taken is kept in memory
#pragma GCC unroll 4
  for (size_t i = 0; i < kOutputs; ++i) {
    copy[i][0] = sums[i][0];
    copy[i][1] = sums[i][1];
  }
  store_s8_avx2<kOutputs, 2>(a.out, t.pixel + t.x, t.channel, t.width, panel, copy);
}

template <size_t kOutputs, bool kWhole>
void tile(const ConvS8& a, const Tile& t) {
  const PanelS8& panel = *t.panel;
  const __m256i* w = reinterpret_cast<const __m256i*>(panel_weights(panel));
  __m256i sums[kOutputs][2];
  load_biases(panel, sums);
  const Tap* taps = t.taps;
  for (size_t pairs = pairs_of(a.conv); pairs > 0; --pairs, taps += 2, w += 2) {
    const int8_t* first = taps[0].in + t.x * taps[0].step + t.channel;
    const int8_t* second = taps[1].in + t.x * taps[1].step + t.channel;
#pragma GCC unroll 4
    for (size_t i = 0; i < kOutputs; ++i) {
      const Pair inputs = interleave<kWhole>(first, second, t.width);
      add_products(sums[i][0], inputs.low, w[0]);
      add_products(sums[i][1], inputs.high, w[1]);
      first += taps[0].step;
      second += taps[1].step;
    }
  }
  store(a, t, panel, sums);
}

// Of shared rows. One output may read padding; of more, all columns lie behind each other.
template <size_t kOutputs, size_t kStride, bool kWhole>
void tile_shared(const ConvS8& a, const Tile& t) {
  constexpr size_t kLast = (kOutputs - 1) * kStride + 2;  // column
  const PanelS8& panel = *t.panel;
  const __m256i* w = reinterpret_cast<const __m256i*>(panel_weights(panel));
  __m256i sums[kOutputs][2];
  load_biases(panel, sums);
  const Tap* taps = t.taps;
  for (size_t ky = 0; ky < a.conv.kernel_h; ++ky, taps += 3, w += 2 * kWays) {
    const int8_t* const first = taps[0].in + t.x * taps[0].step + t.channel;
    const ptrdiff_t step = kOutputs == 1 ? 0 : taps[1].in - taps[0].in;  // 0 in a row of padding
    const auto column = [&](size_t i) {
      if (kOutputs == 1) return taps[i].in + t.x * taps[i].step + t.channel;
      return first + static_cast<ptrdiff_t>(i) * step;
    };
#pragma GCC unroll 5
    for (size_t at = 0; at <= kLast; at += 2) {
      const Pair inputs = interleave<kWhole>(column(at), column(at < kLast ? at + 1 : at), t.width);
#pragma GCC unroll 4
      for (size_t i = 0; i < kOutputs; ++i) {
        const size_t begin = i * kStride;
        if (at + 1 < begin || at > begin + 2) continue;
        // Which of its columns the output begins with here: 0 or 2, or none or 1.
        const size_t way = begin % 2 == 0 ? (at - begin) / 2 : 2 + (at + 1 - begin) / 2;
        add_products(sums[i][0], inputs.low, w[2 * way]);
        add_products(sums[i][1], inputs.high, w[2 * way + 1]);
      }
    }
  }
  store(a, t, panel, sums);
}

using Function = void (*)(const ConvS8& a, const Tile& t);

// For four outputs and for one; of 16 channels, and of fewer.
struct Functions {
  Function four[2];
  Function one[2];
};
constexpr Functions kAny = {{tile<4, true>, tile<4, false>}, {tile<1, true>, tile<1, false>}};
constexpr Functions kShared[] = {{{tile_shared<4, 1, true>, tile_shared<4, 1, false>},
                                  {tile_shared<1, 1, true>, tile_shared<1, 1, false>}},
                                 {{tile_shared<4, 2, true>, tile_shared<4, 2, false>},
                                  {tile_shared<1, 1, true>, tile_shared<1, 1, false>}}};

// `count` outputs whose taps are strided, four at a time; the last four may overlap others.
void run_outputs(const ConvS8& a, const Functions& functions, Tile t, size_t count) {
  const size_t bytes = panel_bytes(a.conv);
  for (t.channel = 0; t.channel < a.conv.out_channels; t.channel += kPanelS8) {
    const size_t left = a.conv.out_channels - t.channel;
    const size_t part = left < kPanelS8 ? 1 : 0;
    t.width = part == 1 ? left : kPanelS8;
    t.panel = panel_s8(a.weights, bytes, t.channel);
    for (t.x = 0; t.x < count;) {
      const size_t rest = count - t.x;
      if (count < 4 || rest == 1) {
        functions.one[part](a, t);
        ++t.x;
      } else {
        if (rest < 4) t.x = count - 4;
        functions.four[part](a, t);
        t.x += 4;
      }
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const int8_t* const zeros = static_cast<const int8_t*>(a.weights) + panels_bytes(c);
  const Functions& functions = shares_rows(c) ? kShared[c.stride_w - 1] : kAny;
  Tap* const taps = static_cast<Tap*>(scratch);
  taps[even(c.kernel_h * c.kernel_w) - 1] = {zeros, 0};
  for_each_run(c, a.in, a.in_stride, zeros, c.kernel_w, begin, end, taps,
               [&](const Tap* run_taps, size_t pixel, size_t count) {
                 run_outputs(a, functions, {nullptr, run_taps, pixel, 0, 0, 0}, count);
               });
}

}  // namespace

extern const ConvS8Kernel dwconv_s8_16c_avx2;
const ConvS8Kernel dwconv_s8_16c_avx2 = {conv_s8_units<1>, packed_bytes, pack, scratch_bytes, run};

}  // namespace medulla
