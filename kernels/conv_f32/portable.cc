// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/conv_f32/conv_f32.h"

namespace medulla {
namespace {

constexpr size_t kNr = 8;

size_t scratch_bytes(const ConvGeometry&) { return 0; }

// One output, from its panel.
float chain(const ConvF32& a, size_t image, size_t y, size_t x, size_t group, const float* panel) {
  const ConvGeometry& c = a.conv;
  const size_t channels = c.in_channels / c.groups;
  float acc = *panel;
  for (size_t ky = 0; ky < c.kernel_h; ++ky) {
    const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
    for (size_t kx = 0; kx < c.kernel_w; ++kx) {
      const size_t in_x = x * c.stride_w + kx * c.dilation_w - c.pad_left;
      const bool inside = in_y < c.in_h && in_x < c.in_w;
      const size_t pixel = inside ? (image * c.in_h + in_y) * c.in_w + in_x : 0;
      const float* in = a.in + pixel * a.in_stride + group * channels;
      for (size_t i = 0; i < channels; ++i) {
        acc = std::fma(inside ? in[i] : 0.0f, *(panel += kNr), acc);
      }
    }
  }
  return acc;
}

void run(const ConvF32& a, size_t begin, size_t end, void*) {
  const ConvGeometry& c = a.conv;
  const size_t n = c.out_channels / c.groups;
  const size_t k = c.kernel_h * c.kernel_w * (c.in_channels / c.groups);
  for (size_t p = begin; p < end; ++p) {
    const size_t x = p % c.out_w;
    const size_t y = p / c.out_w % c.out_h;
    const size_t image = p / c.out_w / c.out_h;
    for (size_t o = 0; o < c.out_channels; ++o) {
      const size_t group = o / n;
      const size_t j = o % n;
      const float* panels = conv_f32_panels(kNr, c, a.weights, group);
      float acc = chain(a, image, y, x, group, panels + j / kNr * kNr * (k + 1) + j % kNr);
      if (a.residual != nullptr) acc += a.residual[p * a.residual_stride + o];
      acc = a.lo > acc ? a.lo : acc;
      a.out[p * a.out_stride + o] = a.hi < acc ? a.hi : acc;
    }
  }
}

}  // namespace

extern const ConvF32Kernel conv_f32_portable;
const ConvF32Kernel conv_f32_portable = {1, kNr, scratch_bytes, run};

}  // namespace medulla
