// SPDX-License-Identifier: Apache-2.0
#include "kernels/x86_avx2.h"
#include "kernels/dwconv.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace medulla {
namespace {

constexpr size_t kNr = 8;

using Tap = DwConvTap<float>;

// A run of output pixels in one row.
struct Run {
  const Tap* taps;
  size_t kernel_h;
  size_t kernel_w;
  size_t pixel;  // of its first in the output
};

inline __m256 load(const float* p, bool whole, __m256i tail) {
  return whole ? _mm256_loadu_ps(p) : load_masked(p, tail);
}

// Residual, clamp and store, for outputs from `pixel` and vectors of channels from `channel`.
template <size_t kPixels, size_t kVecs, bool kWhole>
inline void finish(const DwConvF32& a, size_t pixel, size_t channel, __m256i tail,
                   __m256 (&acc)[kPixels][kVecs]) {
  const __m256 lo = _mm256_set1_ps(a.lo);
  const __m256 hi = _mm256_set1_ps(a.hi);
  if (a.residual != nullptr) {
    const size_t stride = a.residual_stride;
    const float* const from = a.residual + pixel * stride + channel;
#pragma GCC unroll 8
    for (size_t i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) {
        acc[i][j] = _mm256_add_ps(acc[i][j], load(from + i * stride + j * 8, kWhole, tail));
      }
    }
  }
  const size_t stride = a.out_stride;
  float* const to = a.out + pixel * stride + channel;
#pragma GCC unroll 8
  for (size_t i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
    for (size_t j = 0; j < kVecs; ++j) {
      const __m256 v = clamp(acc[i][j], lo, hi);
      if constexpr (kWhole) {
        _mm256_storeu_ps(to + i * stride + j * 8, v);
      } else {
        store_masked(to + i * stride + j * 8, tail, v);
      }
    }
  }
}

// Any kernel: kPixels outputs from the run's x-th, channels [begin, end) by kVecs vectors; whole
// vectors, or one that is not.
template <size_t kPixels, size_t kVecs, bool kWhole>
void tile(const DwConvF32& a, const Run& r, size_t x, size_t begin, size_t end) {
  static_assert(kWhole || kVecs == 1);
  const __m256i tail = lane_mask(kWhole ? 8 : end - begin);
  const size_t taps = r.kernel_h * r.kernel_w;
  const size_t panel = (1 + taps) * kNr;
  for (size_t channel = begin; channel < end; channel += 8 * kVecs) {
    const float* w = static_cast<const float*>(a.weights) + channel * (1 + taps);
    __m256 acc[kPixels][kVecs];
#pragma GCC unroll 8
    for (size_t j = 0; j < kVecs; ++j) {
#pragma GCC unroll 8
      for (size_t i = 0; i < kPixels; ++i) acc[i][j] = _mm256_loadu_ps(w + j * panel);
    }
    for (size_t tap = 0; tap < taps; ++tap) {
      w += kNr;
      const size_t step = r.taps[tap].step;
      const float* in = r.taps[tap].in + x * step + channel;
      __m256 weight[kVecs];
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) weight[j] = _mm256_loadu_ps(w + j * panel);
#pragma GCC unroll 8
      for (size_t i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
        for (size_t j = 0; j < kVecs; ++j) {
          const __m256 v = load(in + i * step + j * 8, kWhole, tail);
          acc[i][j] = _mm256_fmadd_ps(v, weight[j], acc[i][j]);
        }
      }
    }
    finish<kPixels, kVecs, kWhole>(a, r.pixel + x, channel, tail, acc);
  }
}

// Kernels of width kWidth without dilation: each input of a row is loaded once for all outputs
// that it takes part in. For an output these come in order of kx.
template <size_t kPixels, size_t kWidth, size_t kStride>
void slide(const DwConvF32& a, const Run& r, size_t x, size_t begin, size_t end) {
  for (size_t channel = begin; channel < end; channel += 8) {
    const float* w = static_cast<const float*>(a.weights) + channel * (1 + r.kernel_h * r.kernel_w);
    __m256 acc[kPixels][1];
#pragma GCC unroll 8
    for (size_t i = 0; i < kPixels; ++i) acc[i][0] = _mm256_loadu_ps(w);
    for (size_t ky = 0; ky < r.kernel_h; ++ky) {
      const Tap first = r.taps[ky * kWidth];
      const size_t step = first.step / kStride;
      const float* in = first.in + x * first.step + channel;
      __m256 weight[kWidth];
#pragma GCC unroll 8
      for (size_t kx = 0; kx < kWidth; ++kx) weight[kx] = _mm256_loadu_ps(w += kNr);
#pragma GCC unroll 32
      for (size_t j = 0; j < (kPixels - 1) * kStride + kWidth; ++j, in += step) {
        const __m256 v = _mm256_loadu_ps(in);
#pragma GCC unroll 8
        for (size_t i = 0; i < kPixels; ++i) {
          if (j < i * kStride || j >= i * kStride + kWidth) continue;
          acc[i][0] = _mm256_fmadd_ps(v, weight[j - i * kStride], acc[i][0]);
        }
      }
    }
    finish<kPixels, 1, true>(a, r.pixel + x, channel, lane_mask(8), acc);
  }
}

using Function = void (*)(const DwConvF32& a, const Run& r, size_t x, size_t begin, size_t end);

// The functions for eight and for four outputs; null if the kernel has none.
struct Slides {
  Function eight;
  Function four;
};

Slides find_slides(const ConvGeometry& c) {
  if (c.dilation_w != 1) return {};
  if (c.kernel_w == 3 && c.stride_w == 1) return {slide<8, 3, 1>, slide<4, 3, 1>};
  if (c.kernel_w == 3 && c.stride_w == 2) return {slide<8, 3, 2>, slide<4, 3, 2>};
  if (c.kernel_w == 5 && c.stride_w == 1) return {slide<8, 5, 1>, slide<4, 5, 1>};
  if (c.kernel_w == 5 && c.stride_w == 2) return {slide<8, 5, 2>, slide<4, 5, 2>};
  return {};
}

// Channels [0, channels) of the whole vectors of outputs whose taps are strided.
void run_whole(const DwConvF32& a, const Run& r, const Slides& slides, size_t count,
               size_t channels) {
  const auto all = [&](Function wide, size_t width, Function narrow, size_t x) {
    const size_t cut = channels / width * width;
    wide(a, r, x, 0, cut);
    narrow(a, r, x, cut, channels);
  };
  size_t x = 0;
  if (slides.eight != nullptr) {
    for (; count - x >= 8; x += 8) slides.eight(a, r, x, 0, channels);
  }
  for (; count - x >= 4; x += 4) {
    if (slides.four != nullptr) {
      slides.four(a, r, x, 0, channels);
    } else {
      all(tile<4, 2, true>, 16, tile<4, 1, true>, x);
    }
  }
  for (; x < count; ++x) all(tile<1, 4, true>, 32, tile<1, 1, true>, x);
}

void run_outputs(const DwConvF32& a, const Run& r, const Slides& slides, size_t count) {
  const size_t channels = a.conv.out_channels;
  const size_t whole = channels / kNr * kNr;
  if (whole > 0) run_whole(a, r, slides, count, whole);
  if (whole == channels) return;
  size_t x = 0;
  for (; count - x >= 4; x += 4) tile<4, 1, false>(a, r, x, whole, channels);
  for (; x < count; ++x) tile<1, 1, false>(a, r, x, whole, channels);
}

size_t scratch_bytes(const ConvGeometry& c) { return c.kernel_h * c.kernel_w * sizeof(Tap); }

void run(const DwConvF32& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const float* const zeros = dwconv_f32_zeros(kNr, c, a.weights);
  const Slides slides = find_slides(c);
  for_each_run(c, a.in, a.in_stride, zeros, c.kernel_w, begin, end, static_cast<Tap*>(scratch),
               [&](const Tap* taps, size_t pixel, size_t count) {
                 const Run r = {taps, c.kernel_h, c.kernel_w, pixel};
                 run_outputs(a, r, slides, count);
               });
}

}  // namespace

extern const DwConvF32Kernel dwconv_f32_8c_avx2;
const DwConvF32Kernel dwconv_f32_8c_avx2 = {kNr, scratch_bytes, run};

}  // namespace medulla
