// SPDX-License-Identifier: Apache-2.0
#include "kernels/x86_avx2.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace medulla {
namespace {

constexpr size_t kNr = 8;

// What a tap reads for the first pixel of a run of outputs, and the floats to that of the next;
// padding repeats the row of zeros with a step of 0.
struct Tap {
  const float* in;
  size_t step;
};

// A run of output pixels.
struct Run {
  const Tap* taps;
  size_t kernel_h;
  size_t kernel_w;
  size_t pixel;     // of the run's first in the output
  size_t channels;  // left from `channel`
  size_t channel;
};

inline __m256 load(const float* p, bool whole, __m256i tail) {
  return whole ? _mm256_loadu_ps(p) : load_masked(p, tail);
}

// Residual, clamp and store of one vector of output `pixel`.
inline void finish(const DwConvF32& a, size_t pixel, size_t channel, __m256 acc, bool whole,
                   __m256i tail) {
  if (a.residual != nullptr) {
    const float* from = a.residual + pixel * a.residual_stride + channel;
    acc = _mm256_add_ps(acc, load(from, whole, tail));
  }
  acc = clamp(acc, _mm256_set1_ps(a.lo), _mm256_set1_ps(a.hi));
  float* to = a.out + pixel * a.out_stride + channel;
  if (whole) {
    _mm256_storeu_ps(to, acc);
  } else {
    store_masked(to, tail, acc);
  }
}

inline const float* panel_of(const DwConvF32& a, const Run& r) {
  return static_cast<const float*>(a.weights) + r.channel * (1 + r.kernel_h * r.kernel_w);
}

// Any kernel: kPixels outputs from the run's x-th, kVecs vectors of channels.
template <size_t kPixels, size_t kVecs>
void tile(const DwConvF32& a, const Run& r, size_t x) {
  const bool whole = r.channels >= 8 * kVecs;
  const __m256i tail = lane_mask(whole ? 8 : r.channels - 8 * (kVecs - 1));
  const size_t taps = r.kernel_h * r.kernel_w;
  const size_t panel = (1 + taps) * kNr;
  const float* w = panel_of(a, r);
  __m256 acc[kPixels][kVecs];
#pragma GCC unroll 8
  for (size_t j = 0; j < kVecs; ++j) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kPixels; ++i) acc[i][j] = _mm256_loadu_ps(w + j * panel);
  }
  for (size_t tap = 0; tap < taps; ++tap) {
    w += kNr;
    const size_t step = r.taps[tap].step;
    const float* in = r.taps[tap].in + x * step + r.channel;
    __m256 weight[kVecs];
#pragma GCC unroll 8
    for (size_t j = 0; j < kVecs; ++j) weight[j] = _mm256_loadu_ps(w + j * panel);
#pragma GCC unroll 8
    for (size_t i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < kVecs; ++j) {
        const __m256 v = load(in + i * step + j * 8, whole || j < kVecs - 1, tail);
        acc[i][j] = _mm256_fmadd_ps(v, weight[j], acc[i][j]);
      }
    }
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
    for (size_t j = 0; j < kVecs; ++j) {
      finish(a, r.pixel + x + i, r.channel + j * 8, acc[i][j], whole || j < kVecs - 1, tail);
    }
  }
}

// Kernels of width kWidth without dilation: each input of a row is loaded once for all outputs
// that it takes part in. For an output these come in order of kx.
template <size_t kPixels, size_t kWidth, size_t kStride>
void slide(const DwConvF32& a, const Run& r, size_t x) {
  const bool whole = r.channels >= 8;
  const __m256i tail = lane_mask(whole ? 8 : r.channels);
  const float* w = panel_of(a, r);
  __m256 acc[kPixels];
#pragma GCC unroll 8
  for (size_t i = 0; i < kPixels; ++i) acc[i] = _mm256_loadu_ps(w);
  for (size_t ky = 0; ky < r.kernel_h; ++ky) {
    const Tap first = r.taps[ky * kWidth];
    const size_t step = first.step / kStride;
    const float* in = first.in + x * first.step + r.channel;
    __m256 weight[kWidth];
#pragma GCC unroll 8
    for (size_t kx = 0; kx < kWidth; ++kx) weight[kx] = _mm256_loadu_ps(w += kNr);
#pragma GCC unroll 32
    for (size_t j = 0; j < (kPixels - 1) * kStride + kWidth; ++j, in += step) {
      const __m256 v = load(in, whole, tail);
#pragma GCC unroll 8
      for (size_t i = 0; i < kPixels; ++i) {
        if (j < i * kStride || j >= i * kStride + kWidth) continue;
        acc[i] = _mm256_fmadd_ps(v, weight[j - i * kStride], acc[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < kPixels; ++i) {
    finish(a, r.pixel + x + i, r.channel, acc[i], whole, tail);
  }
}

using Function = void (*)(const DwConvF32& a, const Run& r, size_t x);

// The functions for eight and for four outputs of one vector; null if the kernel has none.
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

// All channels of `count` outputs whose taps are strided.
void run_strided(const DwConvF32& a, Run r, const Slides& slides, size_t count) {
  const size_t channels = a.conv.out_channels;
  size_t x = 0;
  const auto over_channels = [&](Function function, size_t vecs) {
    while (r.channel < channels && channels - r.channel >= 8 * vecs) {
      r.channels = channels - r.channel;
      function(a, r, x);
      r.channel += 8 * vecs;
    }
  };
  const auto all_channels = [&](Function wide, size_t vecs, Function narrow) {
    r.channel = 0;
    if (wide != nullptr) over_channels(wide, vecs);
    over_channels(narrow, 1);
    r.channels = channels - r.channel;
    if (r.channels > 0) narrow(a, r, x);
  };
  if (slides.eight != nullptr) {
    for (; count - x >= 8; x += 8) all_channels(nullptr, 0, slides.eight);
  }
  for (; count - x >= 4; x += 4) {
    if (slides.four != nullptr) {
      all_channels(nullptr, 0, slides.four);
    } else {
      all_channels(tile<4, 2>, 2, tile<4, 1>);
    }
  }
  for (; x < count; ++x) all_channels(tile<1, 4>, 4, tile<1, 1>);
}

size_t scratch_bytes(const ConvGeometry& c) { return c.kernel_h * c.kernel_w * sizeof(Tap); }

void run(const DwConvF32& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const float* const zeros = dwconv_f32_zeros(kNr, c, a.weights);
  Tap* const taps = static_cast<Tap*>(scratch);
  const Slides slides = find_slides(c);
  // Outputs [inner_begin, inner_end) of a row have all their columns inside the picture.
  const size_t reach = (c.kernel_w - 1) * c.dilation_w;
  const size_t inner_begin = (c.pad_left + c.stride_w - 1) / c.stride_w;
  const size_t inner_end =
      c.in_w + c.pad_left > reach ? (c.in_w + c.pad_left - reach - 1) / c.stride_w + 1 : 0;
  Run r = {};
  r.taps = taps;
  r.kernel_h = c.kernel_h;
  r.kernel_w = c.kernel_w;
  for (size_t p = begin; p < end;) {
    const size_t x = p % c.out_w;
    const size_t y = p / c.out_w % c.out_h;
    const size_t image = p / c.out_w / c.out_h;
    size_t count = 1;
    if (x >= inner_begin && x < inner_end) {
      count = (inner_end < c.out_w ? inner_end : c.out_w) - x;
      count = count < end - p ? count : end - p;
    }
    Tap* tap = taps;
    for (size_t ky = 0; ky < c.kernel_h; ++ky) {
      const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
      for (size_t kx = 0; kx < c.kernel_w; ++kx, ++tap) {
        const size_t in_x = x * c.stride_w + kx * c.dilation_w - c.pad_left;
        *tap = {zeros, 0};
        if (in_y < c.in_h && in_x < c.in_w) {
          *tap = {a.in + ((image * c.in_h + in_y) * c.in_w + in_x) * a.in_stride,
                  c.stride_w * a.in_stride};
        }
      }
    }
    r.pixel = p;
    run_strided(a, r, slides, count);
    p += count;
  }
}

}  // namespace

extern const DwConvF32Kernel dwconv_f32_8c_avx2;
const DwConvF32Kernel dwconv_f32_8c_avx2 = {kNr, scratch_bytes, run};

}  // namespace medulla
