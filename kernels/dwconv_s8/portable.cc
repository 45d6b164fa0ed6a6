// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"

namespace medulla {
namespace {

constexpr PackingS8 kPacking = {.group = 1, .bytes = 2};

size_t packed_bytes(const ConvGeometry&, const WeightsS8& w) {
  return packed_bytes_s8(w.n, w.k, kPacking);
}

void pack(const ConvGeometry&, const WeightsS8& w, int32_t, void* packed) {
  pack_s8(w, kPacking, 0, packed);
}

size_t scratch_bytes(const ConvGeometry&) { return 0; }

// Inlined with a constant width, which compilers vectorize.
inline void add_panel(uint32_t* sums, const int8_t* in, int32_t zero_point, const int16_t* w,
                      size_t width) {
  for (size_t j = 0; j < width; ++j) {
    const int16_t x = static_cast<int16_t>(in[j] - zero_point);
    sums[j] += static_cast<uint32_t>(x * w[j]);
  }
}

// One output pixel by the `width` channels of one panel, which begin at `in` in the first pixel.
void add_taps(const ConvS8& a, size_t p, const int8_t* in, size_t width, const int16_t* w,
              uint32_t* sums) {
  const ConvGeometry& c = a.conv;
  const size_t x = p % c.out_w;
  const size_t y = p / c.out_w % c.out_h;
  const size_t image = p / c.out_w / c.out_h;
  for (size_t ky = 0; ky < c.kernel_h; ++ky) {
    const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
    for (size_t kx = 0; kx < c.kernel_w; ++kx, w += kPanelS8) {
      const size_t in_x = x * c.stride_w + kx * c.dilation_w - c.pad_left;
      if (in_y >= c.in_h || in_x >= c.in_w) continue;
      const int8_t* pixel = in + ((image * c.in_h + in_y) * c.in_w + in_x) * a.in_stride;
      if (width == kPanelS8) {
        add_panel(sums, pixel, a.in_zero_point, w, kPanelS8);
      } else {
        add_panel(sums, pixel, a.in_zero_point, w, width);
      }
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void*) {
  const size_t channels = a.conv.out_channels;
  const size_t k = a.conv.kernel_h * a.conv.kernel_w;
  const size_t panel_bytes = panel_bytes_s8(kPacking, k);
  for (size_t p = begin; p < end; ++p) {
    for (size_t channel = 0; channel < channels; channel += kPanelS8) {
      const PanelS8& panel = *panel_s8(a.weights, panel_bytes, channel);
      const size_t left = channels - channel;
      const size_t width = left < kPanelS8 ? left : kPanelS8;
      uint32_t sums[kPanelS8];
      for (size_t j = 0; j < kPanelS8; ++j) sums[j] = panel.bias[j];
      add_taps(a, p, a.in + channel, width, panel_weights(panel), sums);
      store_s8(a.out, p, channel, width, panel, sums);
    }
  }
}

}  // namespace

extern const ConvS8Kernel dwconv_s8_portable;
const ConvS8Kernel dwconv_s8_portable = {conv_s8_units<1>, packed_bytes, pack, scratch_bytes, run};

}  // namespace medulla
