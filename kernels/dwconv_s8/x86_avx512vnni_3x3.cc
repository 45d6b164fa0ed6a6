// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_s8/strips.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx512vnni_s8.h"

// Where dwconv_s8_2x64c reads a row of taps, this takes a column: four rows of inputs are
// interleaved, so that vpdpbusd adds the three products of a channel in a column, for two rows of
// outputs at stride 1 (weights w0 w1 w2 0 and 0 w0 w1 w2). A column serves all outputs that read
// it, and passes from one pair of outputs to the next in registers.
//
// 64 channels of four outputs at stride 1 take 48 vpdpbusd and 16 vmulps, 52 loads (8 of inputs, 24
// of weights) and 4 stores, and with 8 flips, 16 unpacks and 60 more of the epilogue 148
// instructions on vectors, which bind: two a cycle on Zen 4, 31 products a cycle. At stride 2, a
// row of two outputs at a time: 24 vpdpbusd and 8 vmulps, 40 loads and 2 stores, 16 flips, 32
// unpacks, 110 in all, 21 products.
namespace medulla {
namespace {

constexpr size_t kBlock = 64;
constexpr size_t kVectors = 4;
constexpr size_t kLanes = 16;
constexpr size_t kTaps = 3;  // rows and columns

// Of 64 channels, or of 32 in the lower halves. The order of channels is dwconv_s8_2x64c's.
struct alignas(64) Block {
  uint32_t bias[kVectors][kLanes];
  float scale[kVectors][kLanes];
  float float_bias[kVectors][kLanes];
  int8_t weights[2][kTaps][kVectors][kLanes][4];  // for each row of outputs, by columns
  uint32_t small_scales;                          // all are below 1: no sum leaves int32
};

size_t channel_of(size_t vector, size_t lane) { return lane / 4 * 16 + vector * 4 + lane % 4; }

// Calls part(first channel, channels, vector's bytes). Parts overlap rather than leave a vector in
// part empty, but for fewer than 32 channels.
template <class Part>
void for_each_part(size_t channels, const Part& part) {
  constexpr size_t kHalf = kBlock / 2;
  size_t at = 0;
  for (; channels - at >= kBlock; at += kBlock) part(at, kBlock, kBlock);
  const size_t rest = channels - at;
  if (rest == 0) return;
  if (rest > kHalf && at > 0) return part(channels - kBlock, kBlock, kBlock);
  if (rest > kHalf) part(at, kHalf, kHalf);
  part(channels < kHalf ? 0 : channels - kHalf, channels < kHalf ? channels : kHalf, kHalf);
}

size_t blocks_bytes(const ConvGeometry& c) {
  size_t bytes = 0;
  for_each_part(c.out_channels, [&](size_t, size_t, size_t) { bytes += sizeof(Block); });
  return bytes;
}

size_t packed_bytes(const ConvGeometry& c, const WeightsS8&) {
  return blocks_bytes(c) + c.in_channels;
}

void pack_channel(const WeightsS8& w, size_t n, int32_t in_zero_point, size_t v, size_t lane,
                  Block* block) {
  const int32_t zero_point = zero_point_of(w, n);
  const int8_t* from = w.w + n * w.n_stride;
  for (size_t ky = 0; ky < kTaps; ++ky) {
    for (size_t kx = 0; kx < kTaps; ++kx, from += w.k_stride) {
      const int8_t weight = static_cast<int8_t>(*from - zero_point);
      for (size_t row = 0; row < 2; ++row) block->weights[row][kx][v][lane][row + ky] = weight;
    }
  }
  const ChannelS8 channel = channel_s8(w, n, in_zero_point + kFlipS8);
  block->bias[v][lane] = channel.bias;
  block->scale[v][lane] = channel.scale;
  block->float_bias[v][lane] = channel.float_bias;
  if (channel.scale >= 1) block->small_scales = 0;
}

void pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point, void* packed) {
  std::memset(packed, 0, blocks_bytes(c));
  Block* block = static_cast<Block*>(packed);
  for_each_part(w.n, [&](size_t first, size_t channels, size_t) {
    block->small_scales = 1;
    for (size_t v = 0; v < kVectors; ++v) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const size_t n = channel_of(v, lane);
        if (n < channels) pack_channel(w, first + n, in_zero_point, v, lane, block);
      }
    }
    ++block;
  });
  std::memset(block, in_zero_point & 0xff, c.in_channels);
}

size_t scratch_bytes(const ConvGeometry& c) { return strip_scratch_bytes(c); }

// Vectors of 64 channels.
struct Whole {
  using Ints = __m512i;
  struct Bounds {  // of an output
    Ints zero_point;
    Ints min;
    Ints max;
  };
  static Ints load(const int8_t* from, size_t) { return _mm512_loadu_si512(from); }
  static Ints load(const void* from) { return _mm512_load_si512(from); }
  static void store(void* to, Ints v) { _mm512_store_si512(to, v); }
  static Ints flip(Ints v) {
    return _mm512_xor_si512(v, _mm512_set1_epi8(static_cast<char>(kFlipS8)));
  }
  static void interleave(const Ints (&rows)[4], Ints (&to)[kVectors]) {
    const Ints low_a = _mm512_unpacklo_epi8(rows[0], rows[1]);
    const Ints high_a = _mm512_unpackhi_epi8(rows[0], rows[1]);
    const Ints low_b = _mm512_unpacklo_epi8(rows[2], rows[3]);
    const Ints high_b = _mm512_unpackhi_epi8(rows[2], rows[3]);
    to[0] = _mm512_unpacklo_epi16(low_a, low_b);
    to[1] = _mm512_unpackhi_epi16(low_a, low_b);
    to[2] = _mm512_unpacklo_epi16(high_a, high_b);
    to[3] = _mm512_unpackhi_epi16(high_a, high_b);
  }
  static Ints round(Ints sums, const float* scale) {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_load_ps(scale)));
  }
  static Bounds bounds(const OutputS8& out) {
    return {_mm512_set1_epi16(static_cast<int16_t>(out.zero_point)),
            _mm512_set1_epi8(static_cast<char>(out.min)),
            _mm512_set1_epi8(static_cast<char>(out.max))};
  }
  static Ints quantize(const Ints (&s)[kVectors], const Block& block, const Bounds& to) {
    const Ints ab = _mm512_packs_epi32(round(s[0], block.scale[0]), round(s[1], block.scale[1]));
    const Ints cd = _mm512_packs_epi32(round(s[2], block.scale[2]), round(s[3], block.scale[3]));
    const Ints bytes = _mm512_packs_epi16(_mm512_adds_epi16(ab, to.zero_point),
                                          _mm512_adds_epi16(cd, to.zero_point));
    return _mm512_min_epi8(_mm512_max_epi8(bytes, to.min), to.max);
  }
  static void store(int8_t* to, size_t, Ints v) { _mm512_storeu_si512(to, v); }
};

// Vectors of 32 channels or fewer.
struct Half {
  using Ints = __m256i;
  struct Bounds {  // of an output
    Ints zero_point;
    Ints min;
    Ints max;
  };
  static __mmask32 mask(size_t width) { return static_cast<__mmask32>(byte_mask(width)); }
  static Ints load(const int8_t* from, size_t width) {
    return _mm256_maskz_loadu_epi8(mask(width), from);
  }
  static Ints load(const void* from) {
    return _mm256_load_si256(static_cast<const __m256i*>(from));
  }
  static void store(void* to, Ints v) { _mm256_store_si256(static_cast<__m256i*>(to), v); }
  static Ints flip(Ints v) {
    return _mm256_xor_si256(v, _mm256_set1_epi8(static_cast<char>(kFlipS8)));
  }
  static void interleave(const Ints (&rows)[4], Ints (&to)[kVectors]) {
    const Ints low_a = _mm256_unpacklo_epi8(rows[0], rows[1]);
    const Ints high_a = _mm256_unpackhi_epi8(rows[0], rows[1]);
    const Ints low_b = _mm256_unpacklo_epi8(rows[2], rows[3]);
    const Ints high_b = _mm256_unpackhi_epi8(rows[2], rows[3]);
    to[0] = _mm256_unpacklo_epi16(low_a, low_b);
    to[1] = _mm256_unpackhi_epi16(low_a, low_b);
    to[2] = _mm256_unpacklo_epi16(high_a, high_b);
    to[3] = _mm256_unpackhi_epi16(high_a, high_b);
  }
  static Ints round(Ints sums, const float* scale) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_load_ps(scale)));
  }
  static Bounds bounds(const OutputS8& out) {
    return {_mm256_set1_epi16(static_cast<int16_t>(out.zero_point)),
            _mm256_set1_epi8(static_cast<char>(out.min)),
            _mm256_set1_epi8(static_cast<char>(out.max))};
  }
  static Ints quantize(const Ints (&s)[kVectors], const Block& block, const Bounds& to) {
    const Ints ab = _mm256_packs_epi32(round(s[0], block.scale[0]), round(s[1], block.scale[1]));
    const Ints cd = _mm256_packs_epi32(round(s[2], block.scale[2]), round(s[3], block.scale[3]));
    const Ints bytes = _mm256_packs_epi16(_mm256_adds_epi16(ab, to.zero_point),
                                          _mm256_adds_epi16(cd, to.zero_point));
    return _mm256_min_epi8(_mm256_max_epi8(bytes, to.min), to.max);
  }
  static void store(int8_t* to, size_t width, Ints v) {
    if (width == kBlock / 2) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
    } else {
      _mm256_mask_storeu_epi8(to, mask(width), v);
    }
  }
};

// In assembly, as add_dots.
template <class Ints>
inline __attribute__((always_inline)) void add_column(Ints& sum, Ints x, Ints w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
}

// An output as float, or where a scale is so large that a sum may leave int32.
__attribute__((noinline)) void store_sums(const OutputS8& out, size_t to, size_t width,
                                          const Block& block,
                                          const int32_t (&sums)[kVectors][kLanes]) {
  for (size_t v = 0; v < kVectors; ++v) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const size_t channel = channel_of(v, lane);
      if (channel >= width) continue;
      const float t = static_cast<float>(sums[v][lane]) * block.scale[v][lane];
      if (out.s8 != nullptr) {
        out.s8[to + channel] = quantize_s8(t, out.zero_point, out.min, out.max);
        continue;
      }
      const float sum = t + block.float_bias[v][lane];
      const float above = out.lo > sum ? out.lo : sum;
      out.f32[to + channel] = out.hi < above ? out.hi : above;
    }
  }
}

// Channels [channel, channel + width) of a strip, two outputs of a row at a time.
template <class V, size_t kRows, size_t kStride>
__attribute__((noinline)) void run_part(const ConvS8& a, const Strip& strip, const Block& block,
                                        size_t channel, size_t width) {
  using Ints = typename V::Ints;
  const bool fast = a.out.s8 != nullptr && block.small_scales != 0;
  const typename V::Bounds bounds = V::bounds(a.out);
  const auto read = [&](size_t x, Ints(&to)[kVectors]) __attribute__((always_inline)) {
    Ints rows[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      rows[i] = V::flip(V::load(strip.columns[i][x] + channel, width));
    }
    V::interleave(rows, to);
  };
  Ints first[kVectors];
  Ints second[kVectors];
  read(0, first);
  if (kStride == 1) read(1, second);
  size_t x = 0;
  for (size_t output = 0; output < strip.count; output += 2, x += 2 * kStride) {
    Ints sums[kRows][2][kVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      const Ints bias = V::load(block.bias[v]);
#pragma GCC unroll 2
      for (size_t row = 0; row < kRows; ++row) sums[row][0][v] = sums[row][1][v] = bias;
    }
    const auto add = [&](size_t kx, const Ints(&one)[kVectors], const Ints(&two)[kVectors])
        __attribute__((always_inline)) {
#pragma GCC unroll 2
      for (size_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 4
        for (size_t v = 0; v < kVectors; ++v) {
          const Ints w = V::load(block.weights[row][kx][v]);
          add_column(sums[row][0][v], one[v], w);
          add_column(sums[row][1][v], two[v], w);
        }
      }
    };
    if constexpr (kStride == 1) {
      add(0, first, second);
      read(x + 2, first);
      add(1, second, first);
      read(x + 3, second);
      add(2, first, second);
    } else {
      read(x + 2, second);
      add(0, first, second);
      read(x + 4, first);
      add(2, second, first);
      Ints odd[kVectors];
      read(x + 1, second);
      read(x + 3, odd);
      add(1, second, odd);
    }
    const size_t outputs = strip.count - output < 2 ? 1 : 2;
    const size_t to = (strip.pixel + output) * a.out.stride + channel;
    const size_t below = a.conv.out_w * a.out.stride;
    if (!fast) {
      alignas(64) int32_t copy[kRows][2][kVectors][kLanes];
#pragma GCC unroll 2
      for (size_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 4
        for (size_t v = 0; v < kVectors; ++v) {
          V::store(copy[row][0][v], sums[row][0][v]);
          V::store(copy[row][1][v], sums[row][1][v]);
        }
      }
      for (size_t row = 0; row < kRows; ++row) {
        for (size_t i = 0; i < outputs; ++i) {
          store_sums(a.out, to + row * below + i * a.out.stride, width, block, copy[row][i]);
        }
      }
      continue;
    }
#pragma GCC unroll 2
    for (size_t row = 0; row < kRows; ++row) {
      int8_t* const bytes = a.out.s8 + to + row * below;
      V::store(bytes, width, V::quantize(sums[row][0], block, bounds));
      if (outputs == 1) continue;
      V::store(bytes + a.out.stride, width, V::quantize(sums[row][1], block, bounds));
    }
  }
}

using Function = void (*)(const ConvS8& a, const Strip& strip, const Block& block, size_t channel,
                          size_t width);

template <class V>
Function function_of(size_t rows, size_t stride) {
  if (stride == 2) return run_part<V, 1, 2>;
  return rows == 2 ? run_part<V, 2, 1> : run_part<V, 1, 1>;
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const Block* const blocks = static_cast<const Block*>(a.weights);
  const int8_t* const padding = static_cast<const int8_t*>(a.weights) + blocks_bytes(c);
  for_each_strip(a, padding, c.stride_w == 1, begin, end, scratch, [&](const Strip& strip) {
    const Function whole = function_of<Whole>(strip.rows, c.stride_w);
    const Function half = function_of<Half>(strip.rows, c.stride_w);
    const Block* block = blocks;
    for_each_part(c.out_channels, [&](size_t channel, size_t width, size_t bytes) {
      (bytes == kBlock ? whole : half)(a, strip, *block++, channel, width);
    });
  });
}

}  // namespace

extern const ConvS8Kernel dwconv_s8_3x3_4x64c_avx512vnni;
const ConvS8Kernel dwconv_s8_3x3_4x64c_avx512vnni = {conv_s8_units<1>, packed_bytes, pack,
                                                     scratch_bytes, run};

}  // namespace medulla
