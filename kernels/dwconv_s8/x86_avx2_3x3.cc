// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/dwconv_s8/strips.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx2.h"

// Five vpmaddwd for the nine taps of eight channels: the upper two rows of inputs are interleaved,
// so that one adds both products of a column; of the third row, columns are interleaved in pairs
// that begin at even ones. Channels are the inner loop, so that whole lines of memory are read.
//
// Sixteen channels of four outputs at stride 1 take 40 vpmaddwd and 8 vmulps, 53 loads and 4
// stores, and with 40 vpaddd, 36 unpacks and widenings and 34 more of the epilogue 158 instructions
// on vectors, which bind: four a cycle on Zen, 14.6 products a cycle. At stride 2: 63 loads, 56
// unpacks and widenings, 178 in all, 12.9 products.
namespace medulla {
namespace {

constexpr size_t kBlock = 16;
constexpr size_t kVectors = 2;
constexpr size_t kTile = 4;  // outputs
constexpr size_t kTaps = 3;  // rows and columns

// What a pair of weights multiplies: columns of the upper two rows, then pairs of columns of the
// third; outputs that begin at the second column of a pair have kNone and the first before theirs.
constexpr size_t kNone = kTaps * kTaps;
constexpr size_t kPairs[][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}, {8, kNone}, {kNone, 6}, {7, 8}};
constexpr size_t kThird = 3;  // where the third row's begin
constexpr size_t kCount = sizeof kPairs / sizeof *kPairs;

struct alignas(64) Block {
  uint32_t bias[kBlock];
  float scale[kBlock];
  float float_bias[kBlock];
  int16_t weights[kCount][kBlock][2];
  uint32_t small_scales;  // all are below 1: no sum leaves int32
};

// The last block overlaps the one before.
size_t block_count(size_t channels) { return (channels + kBlock - 1) / kBlock; }
size_t first_channel(size_t channels, size_t block) {
  return (block + 1) * kBlock <= channels ? block * kBlock : channels - kBlock;
}

size_t packed_bytes(const ConvGeometry& c, const WeightsS8&) {
  return block_count(c.out_channels) * sizeof(Block) + c.in_channels;
}

void pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point, void* packed) {
  Block* const blocks = static_cast<Block*>(packed);
  const size_t count = block_count(w.n);
  std::memset(packed, 0, count * sizeof(Block));
  for (size_t i = 0; i < count; ++i) {
    Block& block = blocks[i];
    block.small_scales = 1;
    for (size_t j = 0; j < kBlock; ++j) {
      const size_t n = first_channel(w.n, i) + j;
      for (size_t pair = 0; pair < kCount; ++pair) {
        for (size_t l = 0; l < 2; ++l) {
          const size_t tap = kPairs[pair][l];
          if (tap == kNone) continue;
          block.weights[pair][j][l] =
              static_cast<int16_t>(w.w[n * w.n_stride + tap * w.k_stride] - zero_point_of(w, n));
        }
      }
      const ChannelS8 channel = channel_s8(w, n, in_zero_point);
      block.bias[j] = channel.bias;
      block.scale[j] = channel.scale;
      block.float_bias[j] = channel.float_bias;
      if (channel.scale >= 1) block.small_scales = 0;
    }
  }
  std::memset(blocks + count, in_zero_point & 0xff, c.in_channels);
}

size_t scratch_bytes(const ConvGeometry& c) { return strip_scratch_bytes(c); }

// Of two pixels, channels 0 to 7 and 8 to 15.
struct Pair {
  __m256i low;
  __m256i high;
};

inline Pair interleave(const int8_t* first, const int8_t* second) {
  const __m128i p = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
  const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second));
  return {_mm256_cvtepi8_epi16(_mm_unpacklo_epi8(p, q)),
          _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(p, q))};
}

// In assembly, for GCC 12 otherwise adds the products to each other and keeps them on the stack.
inline __attribute__((always_inline)) void add_product(__m256i& sum, __m256i x, const __m256i& w) {
  __m256i product;
  asm("vpmaddwd %[w], %[x], %[product]\n\t"
      "vpaddd %[product], %[sum], %[sum]"
      : [sum] "+x"(sum), [product] "=&x"(product)
      : [x] "x"(x), [w] "xm"(w));
}

inline __attribute__((always_inline)) void add_products(__m256i (&sums)[kVectors], const Pair& x,
                                                        const __m256i& w, const __m256i& v) {
  add_product(sums[0], x.low, w);
  add_product(sums[1], x.high, v);
}

// An output as float, or where a scale is so large that a sum may leave int32.
__attribute__((noinline)) void store_sums(const OutputS8& out, size_t to, const Block& block,
                                          const int32_t (&sums)[kBlock]) {
  for (size_t i = 0; i < kBlock; ++i) {
    const float t = static_cast<float>(sums[i]) * block.scale[i];
    if (out.s8 != nullptr) {
      out.s8[to + i] = quantize_s8(t, out.zero_point, out.min, out.max);
      continue;
    }
    const float sum = t + block.float_bias[i];
    const float above = out.lo > sum ? out.lo : sum;
    out.f32[to + i] = out.hi < above ? out.hi : above;
  }
}

struct Bounds {
  __m256i zero_point;
  __m256i min;
  __m256i max;
};

// Two outputs, one in each half.
inline __m256i quantize(const __m256i (&a)[kVectors], const __m256i (&b)[kVectors],
                        const Block& block, const Bounds& to) {
  const auto words = [&](const __m256i(&sums)[kVectors]) {
    const auto round = [&](size_t v) {
      const __m256 scale = _mm256_load_ps(block.scale + 8 * v);
      return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[v]), scale));
    };
    return _mm256_adds_epi16(_mm256_packs_epi32(round(0), round(1)), to.zero_point);
  };
  const __m256i bytes = _mm256_packs_epi16(words(a), words(b));
  return _mm256_permutevar8x32_epi32(_mm256_min_epi8(_mm256_max_epi8(bytes, to.min), to.max),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// Channels [channel, channel + 16) of kOutputs outputs, whose inputs are at `rows`; the first
// `count` of them go to element `to` on.
template <size_t kOutputs, size_t kStride>
inline __attribute__((always_inline)) void run_tile(const OutputS8& out, const Bounds& bounds,
                                                    const int8_t* const* const (&rows)[kTaps],
                                                    const Block& block, size_t channel,
                                                    size_t count, size_t to) {
  constexpr size_t kColumns = (kOutputs - 1) * kStride + kTaps;
  const __m256i* const w = reinterpret_cast<const __m256i*>(block.weights);
  __m256i sums[kOutputs][kVectors];
#pragma GCC unroll 4
  for (size_t i = 0; i < kOutputs; ++i) {
    sums[i][0] = _mm256_load_si256(reinterpret_cast<const __m256i*>(block.bias));
    sums[i][1] = _mm256_load_si256(reinterpret_cast<const __m256i*>(block.bias + 8));
  }
  const __m256i upper[] = {w[0], w[kVectors], w[2 * kVectors]};
#pragma GCC unroll 9
  for (size_t i = 0; i < kColumns; ++i) {
    const Pair column = interleave(rows[0][i] + channel, rows[1][i] + channel);
#pragma GCC unroll 4
    for (size_t j = 0; j < kOutputs; ++j) {
      const size_t tap = i - j * kStride;
      if (tap < kTaps) add_products(sums[j], column, upper[tap], w[kVectors * tap + 1]);
    }
  }
#pragma GCC unroll 5
  for (size_t i = 0; i < kColumns; i += 2) {
    const Pair columns = interleave(rows[2][i] + channel, rows[2][i + 1] + channel);
#pragma GCC unroll 4
    for (size_t j = 0; j < kOutputs; ++j) {
      const size_t tap = i + j % 2 * (2 - kStride) - j * kStride;  // 0 or 2, of an even output
      const size_t odd = kStride == 1 ? j % 2 : 0;
      const __m256i* const v = w + kVectors * (kThird + 2 * odd + tap / 2);
      if (tap <= 2) add_products(sums[j], columns, v[0], v[1]);
    }
  }
  const size_t stride = out.stride;
  if (__builtin_expect(out.s8 == nullptr || block.small_scales == 0, 0)) {
    alignas(32) int32_t copy[kOutputs][kBlock];
#pragma GCC unroll 4
    for (size_t i = 0; i < kOutputs; ++i) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(copy[i]), sums[i][0]);
      _mm256_store_si256(reinterpret_cast<__m256i*>(copy[i] + 8), sums[i][1]);
    }
    for (size_t i = 0; i < count; ++i) store_sums(out, to + i * stride, block, copy[i]);
    return;
  }
  const auto pixel = [&](size_t i) { return reinterpret_cast<__m128i*>(out.s8 + to + i * stride); };
#pragma GCC unroll 2
  for (size_t i = 0; i < kOutputs; i += 2) {
    const __m256i bytes = quantize(sums[i], sums[i + 1], block, bounds);
    if (i < count) _mm_storeu_si128(pixel(i), _mm256_castsi256_si128(bytes));
    if (i + 1 < count) _mm_storeu_si128(pixel(i + 1), _mm256_extracti128_si256(bytes, 1));
  }
}

// All channels of `count` outputs, the first of which goes to element `to` on.
template <size_t kOutputs, size_t kStride>
void run_blocks(const ConvS8& a, const Bounds& bounds, const int8_t* const* const (&rows)[kTaps],
                size_t count, size_t to) {
  const OutputS8 out = a.out;
  const size_t channels = a.conv.out_channels;
  const Block* block = static_cast<const Block*>(a.weights);
  for (size_t i = 0; i < block_count(channels); ++i, ++block) {
    const size_t channel = first_channel(channels, i);
    run_tile<kOutputs, kStride>(out, bounds, rows, *block, channel, count, to + channel);
  }
}

// Four outputs at a time, or where no more are left two.
template <size_t kStride>
void run_strip(const ConvS8& a, const Strip& strip) {
  const Bounds bounds = {_mm256_set1_epi16(static_cast<int16_t>(a.out.zero_point)),
                         _mm256_set1_epi8(static_cast<char>(a.out.min)),
                         _mm256_set1_epi8(static_cast<char>(a.out.max))};
  for (size_t x = 0; x < strip.count; x += kTile) {
    const int8_t* const* const rows[] = {strip.columns[0] + x * kStride,
                                         strip.columns[1] + x * kStride,
                                         strip.columns[2] + x * kStride};
    const size_t left = strip.count - x;
    const size_t to = (strip.pixel + x) * a.out.stride;
    if (left <= kTile / 2) {
      run_blocks<kTile / 2, kStride>(a, bounds, rows, left, to);
    } else {
      run_blocks<kTile, kStride>(a, bounds, rows, left < kTile ? left : kTile, to);
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const Block* const blocks = static_cast<const Block*>(a.weights);
  const int8_t* const padding =
      reinterpret_cast<const int8_t*>(blocks + block_count(c.out_channels));
  const auto function = c.stride_w == 1 ? run_strip<1> : run_strip<2>;
  for_each_strip(a, padding, false, begin, end, scratch,
                 [&](const Strip& strip) { function(a, strip); });
}

}  // namespace

extern const ConvS8Kernel dwconv_s8_3x3_4x16c_avx2;
const ConvS8Kernel dwconv_s8_3x3_4x16c_avx2 = {conv_s8_units<1>, packed_bytes, pack, scratch_bytes,
                                               run};

}  // namespace medulla
