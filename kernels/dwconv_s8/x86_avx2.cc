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
size_t even(size_t taps) { return (taps + 1) / 2 * 2; }

// Where the row of zero points begins.
size_t panels_bytes(const ConvGeometry& c) {
  return packed_bytes_s8(c.out_channels, c.kernel_h * c.kernel_w, kPairsS8);
}

size_t packed_bytes(const ConvGeometry& c, const WeightsS8&) {
  return panels_bytes(c) + c.in_channels;
}

void pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point, void* packed) {
  pack_s8(w, kPairsS8, in_zero_point, packed);
  std::memset(static_cast<unsigned char*>(packed) + panels_bytes(c), in_zero_point & 0xff,
              c.in_channels);
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

// Channels [channel, channel + width) of kPixels outputs from the x-th of the run on.
template <size_t kPixels, bool kWhole>
void tile(const ConvS8& a, const Tap* taps, size_t pairs, size_t pixel, size_t x, size_t channel,
          size_t width) {
  const PanelS8& panel = *panel_s8(a.weights, panel_bytes_s8(kPairsS8, pairs * kPairS8), channel);
  const __m256i* w = reinterpret_cast<const __m256i*>(panel_weights(panel));
  __m256i sums[kPixels][2];
#pragma GCC unroll 2
  for (size_t j = 0; j < 2; ++j) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kPixels; ++i) {
      sums[i][j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel.bias) + j);
    }
  }
  for (size_t pair = 0; pair < pairs; ++pair, taps += 2, w += 2) {
    const int8_t* first = taps[0].in + x * taps[0].step + channel;
    const int8_t* second = taps[1].in + x * taps[1].step + channel;
#pragma GCC unroll 8
    for (size_t i = 0; i < kPixels; ++i) {
      const __m128i p = load<kWhole>(first + i * taps[0].step, width);
      const __m128i q = load<kWhole>(second + i * taps[1].step, width);
      const __m256i low = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(p, q));
      const __m256i high = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(p, q));
      sums[i][0] = _mm256_add_epi32(sums[i][0], _mm256_madd_epi16(low, w[0]));
      sums[i][1] = _mm256_add_epi32(sums[i][1], _mm256_madd_epi16(high, w[1]));
    }
  }
  store_s8_avx2<kPixels, 2>(a.out, pixel + x, channel, width, panel, sums);
}

// `count` outputs from `pixel` on whose taps are strided.
void run_outputs(const ConvS8& a, const Tap* taps, size_t pixel, size_t count) {
  const size_t channels = a.conv.out_channels;
  const size_t pairs = even(a.conv.kernel_h * a.conv.kernel_w) / 2;
  for (size_t channel = 0; channel < channels; channel += kPanelS8) {
    const bool whole = channels - channel >= kPanelS8;
    const size_t width = whole ? kPanelS8 : channels - channel;
    size_t x = 0;
    for (; count - x >= 4; x += 4) {
      const auto four = whole ? tile<4, true> : tile<4, false>;
      four(a, taps, pairs, pixel, x, channel, width);
    }
    for (; x < count; ++x) {
      const auto one = whole ? tile<1, true> : tile<1, false>;
      one(a, taps, pairs, pixel, x, channel, width);
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const int8_t* const zeros = static_cast<const int8_t*>(a.weights) + panels_bytes(c);
  Tap* const taps = static_cast<Tap*>(scratch);
  taps[even(c.kernel_h * c.kernel_w) - 1] = {zeros, 0};
  for_each_run(c, a.in, a.in_stride, zeros, c.kernel_w, begin, end, taps,
               [&](const Tap* run_taps, size_t pixel, size_t count) {
                 run_outputs(a, run_taps, pixel, count);
               });
}

}  // namespace

extern const ConvS8Kernel dwconv_s8_16c_avx2;
const ConvS8Kernel dwconv_s8_16c_avx2 = {conv_s8_units<1>, packed_bytes, pack, scratch_bytes, run};

}  // namespace medulla
