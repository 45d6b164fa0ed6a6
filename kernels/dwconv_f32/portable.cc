// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/dwconv_f32/dwconv_f32.h"

namespace medulla {
namespace {

constexpr size_t kNr = 8;

size_t scratch_bytes(const ConvGeometry&) { return 0; }

void run(const DwConvF32& a, size_t begin, size_t end, void*) {
  const ConvGeometry& c = a.conv;
  const size_t panel = kNr * (1 + c.kernel_h * c.kernel_w);
  for (size_t p = begin; p < end; ++p) {
    const size_t x = p % c.out_w;
    const size_t y = p / c.out_w % c.out_h;
    const size_t image = p / c.out_w / c.out_h;
    for (size_t channel = 0; channel < c.out_channels; ++channel) {
      const float* w = static_cast<const float*>(a.weights) + channel / kNr * panel + channel % kNr;
      float acc = *w;
      for (size_t ky = 0; ky < c.kernel_h; ++ky) {
        const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
        for (size_t kx = 0; kx < c.kernel_w; ++kx) {
          const size_t in_x = x * c.stride_w + kx * c.dilation_w - c.pad_left;
          const bool inside = in_y < c.in_h && in_x < c.in_w;
          const size_t pixel = inside ? (image * c.in_h + in_y) * c.in_w + in_x : 0;
          acc = std::fma(inside ? a.in[pixel * a.in_stride + channel] : 0.0f, *(w += kNr), acc);
        }
      }
      if (a.residual != nullptr) acc += a.residual[p * a.residual_stride + channel];
      acc = a.lo > acc ? a.lo : acc;
      a.out[p * a.out_stride + channel] = a.hi < acc ? a.hi : acc;
    }
  }
}

}  // namespace

extern const DwConvF32Kernel dwconv_f32_portable;
const DwConvF32Kernel dwconv_f32_portable = {kNr, scratch_bytes, run};

}  // namespace medulla
