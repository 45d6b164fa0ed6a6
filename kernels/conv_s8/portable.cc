// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"

namespace medulla {
namespace {

constexpr PackingS8 kPacking = {.group = 1, .bytes = 2};

size_t group_packed_bytes(const WeightsS8& w) { return packed_bytes_s8(w.n, w.k, kPacking); }
void pack_group(const WeightsS8& w, int32_t, void* packed) { pack_s8(w, kPacking, 0, packed); }

size_t packed_bytes(const ConvGeometry& conv, const WeightsS8&) {
  return conv_s8_packed_bytes(conv, group_packed_bytes);
}

void pack(const ConvGeometry& conv, const WeightsS8& w, int32_t in_zero_point, void* packed) {
  conv_s8_pack(conv, w, in_zero_point, group_packed_bytes, pack_group, packed);
}

size_t scratch_bytes(const ConvGeometry&) { return 0; }

// One output pixel by one panel. `in` is the first channel of the group in the first pixel.
void add_taps(const ConvS8& a, size_t p, const int8_t* in, const int16_t* w, uint32_t* sums) {
  const ConvGeometry& c = a.conv;
  const size_t channels = c.in_channels / c.groups;
  const size_t x = p % c.out_w;
  const size_t y = p / c.out_w % c.out_h;
  const size_t image = p / c.out_w / c.out_h;
  for (size_t ky = 0; ky < c.kernel_h; ++ky) {
    const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
    for (size_t kx = 0; kx < c.kernel_w; ++kx, w += channels * kPanelS8) {
      const size_t in_x = x * c.stride_w + kx * c.dilation_w - c.pad_left;
      if (in_y >= c.in_h || in_x >= c.in_w) continue;
      const int8_t* pixel = in + ((image * c.in_h + in_y) * c.in_w + in_x) * a.in_stride;
      for (size_t i = 0; i < channels; ++i) {
        add_products_s8(sums, pixel[i] - a.in_zero_point, w + i * kPanelS8);
      }
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void*) {
  const ConvGeometry& c = a.conv;
  const size_t channels = c.in_channels / c.groups;
  const size_t n = c.out_channels / c.groups;
  const size_t k = c.kernel_h * c.kernel_w * channels;
  const size_t group_bytes = conv_s8_packed_bytes(c, group_packed_bytes) / c.groups;
  const size_t panel_bytes = panel_bytes_s8(kPacking, k);
  for (size_t p = begin; p < end; ++p) {
    for (size_t group = 0; group < c.groups; ++group) {
      const void* packed = static_cast<const unsigned char*>(a.weights) + group * group_bytes;
      for (size_t j = 0; j < n; j += kPanelS8) {
        const PanelS8& panel = *panel_s8(packed, panel_bytes, j);
        uint32_t sums[kPanelS8];
        for (size_t i = 0; i < kPanelS8; ++i) sums[i] = panel.bias[i];
        add_taps(a, p, a.in + group * channels, panel_weights(panel), sums);
        store_s8(a.out, p, group * n + j, n - j < kPanelS8 ? n - j : kPanelS8, panel, sums);
      }
    }
  }
}

}  // namespace

extern const ConvS8Kernel conv_s8_portable;
const ConvS8Kernel conv_s8_portable = {conv_s8_units<1>, packed_bytes, pack, scratch_bytes, run};

}  // namespace medulla
