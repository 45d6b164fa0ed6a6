// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"
#include "kernels/x86_avx2_s8.h"

namespace medulla {
namespace {

// Values of a widened row: all taps of a group, and a zero if that is odd.
size_t depth_of(const ConvGeometry& c) {
  return (c.kernel_h * c.kernel_w * (c.in_channels / c.groups) + 1) / 2 * 2;
}

size_t packed_bytes(const ConvGeometry& conv, const WeightsS8&) {
  return conv_s8_packed_bytes(conv, kPairS8);
}

void pack(const ConvGeometry& conv, const WeightsS8& w, int32_t, void* packed) {
  conv_s8_pack(conv, w, kPairS8, 0, packed);
}

size_t scratch_bytes(const ConvGeometry& conv) {
  return block_rows_s8(depth_of(conv)) * depth_of(conv) * sizeof(int16_t);
}

struct Pixel {
  size_t image;
  size_t y;
  size_t x;
};

// The inputs of output pixel `p` less their zero point, so that padding is 0. `in` is the first
// channel of the group in the first pixel.
void gather(const ConvS8& a, const Pixel& p, const int8_t* in, int16_t* to) {
  const ConvGeometry& c = a.conv;
  const size_t channels = c.in_channels / c.groups;
  const bool dense = c.dilation_w == 1 && a.in_stride == channels;
  const size_t x = p.x * c.stride_w - c.pad_left;  // huge if negative
  for (size_t ky = 0; ky < c.kernel_h; ++ky) {
    const size_t in_y = p.y * c.stride_h + ky * c.dilation_h - c.pad_top;
    if (in_y >= c.in_h) {
      std::memset(to, 0, c.kernel_w * channels * sizeof(int16_t));
      to += c.kernel_w * channels;
      continue;
    }
    const size_t row = (p.image * c.in_h + in_y) * c.in_w;
    if (dense && x < c.in_w && c.in_w - x >= c.kernel_w) {
      widen_s8(in + (row + x) * a.in_stride, c.kernel_w * channels, a.in_zero_point, to);
      to += c.kernel_w * channels;
      continue;
    }
    for (size_t kx = 0; kx < c.kernel_w; ++kx, to += channels) {
      const size_t in_x = x + kx * c.dilation_w;
      if (in_x < c.in_w) {
        widen_s8(in + (row + in_x) * a.in_stride, channels, a.in_zero_point, to);
      } else {
        std::memset(to, 0, channels * sizeof(int16_t));
      }
    }
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const size_t in_channels = c.in_channels / c.groups;
  const size_t out_channels = c.out_channels / c.groups;
  const size_t depth = depth_of(c);
  const size_t most = block_rows_s8(depth);
  const size_t group_bytes = conv_s8_packed_bytes(c, kPairS8) / c.groups;
  int16_t* const rows = static_cast<int16_t*>(scratch);
  for (size_t p = begin; p < end; p += most) {
    const size_t pixels = end - p < most ? end - p : most;
    for (size_t group = 0; group < c.groups; ++group) {
      Pixel pixel = {p / c.out_w / c.out_h, p / c.out_w % c.out_h, p % c.out_w};
      for (size_t i = 0; i < pixels; ++i) {
        rows[(i + 1) * depth - 1] = 0;
        gather(a, pixel, a.in + group * in_channels, rows + i * depth);
        if (++pixel.x < c.out_w) continue;
        pixel.x = 0;
        if (++pixel.y < c.out_h) continue;
        pixel.y = 0;
        ++pixel.image;
      }
      const void* panels = static_cast<const unsigned char*>(a.weights) + group * group_bytes;
      run_block_s8(a.out, p, group * out_channels, out_channels, panels, rows, pixels, depth);
    }
  }
}

}  // namespace

extern const ConvS8Kernel conv_s8_6x16_avx2;
const ConvS8Kernel conv_s8_6x16_avx2 = {kTileRowsS8, packed_bytes, pack, scratch_bytes, run};

}  // namespace medulla
