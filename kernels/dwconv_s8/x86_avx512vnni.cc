// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv.h"
#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx512vnni_s8.h"

namespace medulla {
namespace {

// Four taps at a time, of 64 channels: their inputs are interleaved by unpacks, so that vpdpbusd
// adds the four products of a channel. Unpacks work in lanes of 16 bytes, and the packs of
// quantize_sums undo their order; so vector v of a block's sums holds channels 16 * lane + 4 * v to
// + 3 of each lane, and weights, biases and scales are packed in that order.
//
// A row of a kernel three wide leaves one of four columns free: where columns are next to each
// other, two outputs share the interleaved inputs of a row, the second with weights moved by one.
constexpr size_t kBlock = 64;
constexpr size_t kVectors = 4;
constexpr size_t kLanes = 16;  // sums of a vector

struct alignas(64) Block {
  uint32_t bias[kVectors][kLanes];
  float scale[kVectors][kLanes];
  float float_bias[kVectors][kLanes];
};

size_t channel_of(size_t vector, size_t lane) { return lane / 4 * 16 + vector * 4 + lane % 4; }

bool shares_rows(const ConvGeometry& c) {
  return c.kernel_w == 3 && c.stride_w == 1 && c.dilation_w == 1;
}

// Groups of four taps; those of shared rows come twice.
size_t groups_of(const ConvGeometry& c) {
  if (shares_rows(c)) return 2 * c.kernel_h;
  return (c.kernel_h * c.kernel_w + 3) / 4;
}

// The tap of entry `i` of group `group`; kernel_h * kernel_w where there is none.
size_t tap_of(const ConvGeometry& c, size_t group, size_t i) {
  const size_t taps = c.kernel_h * c.kernel_w;
  if (!shares_rows(c)) return group * 4 + i < taps ? group * 4 + i : taps;
  const size_t moved = group % 2;  // columns x + 1 to x + 3 for the second output
  return i >= moved && i - moved < 3 ? group / 2 * 3 + i - moved : taps;
}

size_t block_bytes(const ConvGeometry& c) { return sizeof(Block) + groups_of(c) * kBlock * 4; }

// Where the row of padding begins.
size_t blocks_bytes(const ConvGeometry& c) {
  return (c.out_channels + kBlock - 1) / kBlock * block_bytes(c);
}

size_t packed_bytes(const ConvGeometry& c, const WeightsS8&) {
  return blocks_bytes(c) + c.in_channels;
}

void pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point, void* packed) {
  unsigned char* const bytes = static_cast<unsigned char*>(packed);
  std::memset(bytes, 0, blocks_bytes(c));
  std::memset(bytes + blocks_bytes(c), in_zero_point & 0xff, c.in_channels);
  for (size_t first = 0; first < w.n; first += kBlock) {
    Block* const block = reinterpret_cast<Block*>(bytes + first / kBlock * block_bytes(c));
    int8_t* const weights = reinterpret_cast<int8_t*>(block + 1);
    for (size_t v = 0; v < kVectors; ++v) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const size_t n = first + channel_of(v, lane);
        if (n >= w.n) continue;
        const int32_t zero_point = zero_point_of(w, n);
        for (size_t group = 0; group < groups_of(c); ++group) {
          for (size_t i = 0; i < 4; ++i) {
            const size_t tap = tap_of(c, group, i);
            if (tap == w.k) continue;
            weights[(group * kVectors + v) * 64 + lane * 4 + i] =
                static_cast<int8_t>(w.w[tap * w.k_stride + n * w.n_stride] - zero_point);
          }
        }
        const ChannelS8 channel = channel_s8(w, n, in_zero_point + kFlipS8);
        block->bias[v][lane] = channel.bias;
        block->scale[v][lane] = channel.scale;
        block->float_bias[v][lane] = channel.float_bias;
      }
    }
  }
}

using Tap = DwConvTap<int8_t>;

// Taps are read four at a time: of shared rows, columns x to x + 3.
size_t quads_of(const ConvGeometry& c) { return shares_rows(c) ? c.kernel_h : groups_of(c); }

size_t scratch_bytes(const ConvGeometry& c) { return quads_of(c) * 4 * sizeof(Tap); }

inline void interleave(const Tap* taps, size_t x, size_t channel, __mmask64 mask,
                       __m512i (&to)[kVectors]) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(kFlipS8));
  __m512i tap[4];
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    const int8_t* from = taps[i].in + x * taps[i].step + channel;
    tap[i] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from), flip);
  }
  const __m512i low_a = _mm512_unpacklo_epi8(tap[0], tap[1]);
  const __m512i high_a = _mm512_unpackhi_epi8(tap[0], tap[1]);
  const __m512i low_b = _mm512_unpacklo_epi8(tap[2], tap[3]);
  const __m512i high_b = _mm512_unpackhi_epi8(tap[2], tap[3]);
  to[0] = _mm512_unpacklo_epi16(low_a, low_b);
  to[1] = _mm512_unpackhi_epi16(low_a, low_b);
  to[2] = _mm512_unpacklo_epi16(high_a, high_b);
  to[3] = _mm512_unpackhi_epi16(high_a, high_b);
}

void store_block_floats(const OutputS8& out, size_t to, size_t width, const Block& block,
                        const __m512i* sums) {
  alignas(64) int32_t values[kVectors][kLanes];
  for (size_t v = 0; v < kVectors; ++v) _mm512_store_si512(values[v], sums[v]);
  for (size_t v = 0; v < kVectors; ++v) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const size_t channel = channel_of(v, lane);
      if (channel >= width) continue;
      const float t = static_cast<float>(values[v][lane]) * block.scale[v][lane];
      const float sum = t + block.float_bias[v][lane];
      const float above = out.lo > sum ? out.lo : sum;
      out.f32[to + channel] = out.hi < above ? out.hi : above;
    }
  }
}

// Channels [channel, channel + width) of kOutputs outputs from the x-th of the run on.
template <size_t kOutputs, bool kShared>
void tile(const ConvS8& a, const Tap* taps, size_t quads, const Block& block, size_t pixel,
          size_t x, size_t channel, size_t width) {
  const __mmask64 mask = byte_mask(width);
  const __m512i* w = reinterpret_cast<const __m512i*>(&block + 1);
  __m512i sums[kOutputs][kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) {
    const __m512i bias = _mm512_load_si512(block.bias[v]);
#pragma GCC unroll 2
    for (size_t o = 0; o < kOutputs; ++o) sums[o][v] = bias;
  }
  for (size_t quad = 0; quad < quads; ++quad, taps += 4, w += (kShared ? 2 : 1) * kVectors) {
    __m512i inputs[kVectors];
#pragma GCC unroll 2
    for (size_t o = 0; o < kOutputs; ++o) {
      if (o == 0 || !kShared) interleave(taps, x + o, channel, mask, inputs);
      const __m512i* weights = w + (kShared ? o : 0) * kVectors;
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) add_dots(sums[o][v], inputs[v], weights[v]);
    }
  }
  const size_t first = (pixel + x) * a.out.stride + channel;
  if (a.out.s8 == nullptr) {
    // Not sums itself: GCC 12 would keep what a function is given the address of on the stack,
    // through the loop above too.
    __m512i copy[kOutputs][kVectors];
#pragma GCC unroll 2
    for (size_t o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) copy[o][v] = sums[o][v];
      store_block_floats(a.out, first + o * a.out.stride, width, block, copy[o]);
    }
    return;
  }
  const QuantizeS8 quantize = load_quantize_s8(a.out);
#pragma GCC unroll 2
  for (size_t o = 0; o < kOutputs; ++o) {
    store_bytes(a.out.s8 + first + o * a.out.stride, width,
                quantize_sums(sums[o][0], sums[o][1], sums[o][2], sums[o][3], block.scale[0],
                              block.scale[1], block.scale[2], block.scale[3], quantize));
  }
}

// `count` outputs from `pixel` on, two at a time; the last two overlap where it is odd.
template <bool kShared>
void run_outputs(const ConvS8& a, const Tap* taps, size_t pixel, size_t count) {
  const size_t channels = a.conv.out_channels;
  const size_t bytes = block_bytes(a.conv);
  const size_t quads = quads_of(a.conv);
  const unsigned char* blocks = static_cast<const unsigned char*>(a.weights);
  for (size_t channel = 0; channel < channels; channel += kBlock, blocks += bytes) {
    const Block& block = *reinterpret_cast<const Block*>(blocks);
    const size_t width = channels - channel < kBlock ? channels - channel : kBlock;
    for (size_t x = 0; x + 2 <= count; x += 2) {
      tile<2, kShared>(a, taps, quads, block, pixel, x, channel, width);
    }
    if (count == 1) tile<1, kShared>(a, taps, quads, block, pixel, 0, channel, width);
    if (count % 2 == 1 && count > 1) {
      tile<2, kShared>(a, taps, quads, block, pixel, count - 2, channel, width);
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const bool shared = shares_rows(c);
  const int8_t* const padding = static_cast<const int8_t*>(a.weights) + blocks_bytes(c);
  // Of shared rows, the fourth column is the second output's last.
  const size_t columns = shared ? 4 : c.kernel_w;
  const auto outputs = shared ? run_outputs<true> : run_outputs<false>;
  Tap* const taps = static_cast<Tap*>(scratch);
  for (size_t i = c.kernel_h * columns; i < quads_of(c) * 4; ++i) taps[i] = {padding, 0};
  for_each_run(
      c, a.in, a.in_stride, padding, columns, begin, end, taps,
      [&](const Tap* run_taps, size_t pixel, size_t count) { outputs(a, run_taps, pixel, count); });
}

}  // namespace

extern const ConvS8Kernel dwconv_s8_2x64c_avx512vnni;
const ConvS8Kernel dwconv_s8_2x64c_avx512vnni = {conv_s8_units<1>, packed_bytes, pack,
                                                 scratch_bytes, run};

}  // namespace medulla
