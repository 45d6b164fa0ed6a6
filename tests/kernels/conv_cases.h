// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_KERNELS_CONV_CASES_H_
#define MEDULLA_TESTS_KERNELS_CONV_CASES_H_

#include <cstddef>
#include <string>

#include "kernels/conv.h"
#include "tests/kernels/util.h"

// Problems for every family of convolutions.
namespace medulla::test {

struct ConvCase {
  ConvGeometry conv;
  size_t in_extra = 0;  // elements between pixels beyond the channels
  size_t out_extra = 0;
  size_t residual_extra = 0;
  bool bias = true;
  bool residual = false;
  bool in_place = false;  // the residual lies where the output goes
  bool clamp = false;
  bool extreme = false;
};

// The input pixel that a tap of output pixel `p` reads; -1 in padding.
inline ptrdiff_t input_pixel(const ConvGeometry& c, size_t p, size_t ky, size_t kx) {
  const auto at = [](size_t out, size_t stride, size_t tap, size_t dilation, size_t pad) {
    return static_cast<ptrdiff_t>(out * stride + tap * dilation) - static_cast<ptrdiff_t>(pad);
  };
  const ptrdiff_t y = at(p / c.out_w % c.out_h, c.stride_h, ky, c.dilation_h, c.pad_top);
  const ptrdiff_t x = at(p % c.out_w, c.stride_w, kx, c.dilation_w, c.pad_left);
  const ptrdiff_t h = static_cast<ptrdiff_t>(c.in_h);
  const ptrdiff_t w = static_cast<ptrdiff_t>(c.in_w);
  if (y < 0 || y >= h || x < 0 || x >= w) return -1;
  return (static_cast<ptrdiff_t>(p / c.out_w / c.out_h) * h + y) * w + x;
}

// Small pictures and signals with every attribute; depthwise ones on request.
inline ConvCase random_conv(uint64_t seed, bool depthwise = false) {
  Random random(seed ^ 0x5eed);
  ConvCase t;
  ConvGeometry& c = t.conv;
  const bool line = random.one_in(4);
  const auto size = [&](size_t low, size_t high) { return random.integer<size_t>(low, high); };
  const auto axis = [&](size_t& in, size_t& out, size_t& kernel, size_t& stride, size_t& dilation,
                        size_t& pad) {
    kernel = size(1, random.one_in(4) ? 7 : 3);
    dilation = random.one_in(3) ? size(1, 3) : 1;
    stride = random.one_in(2) ? size(1, 3) : 1;
    const size_t reach = (kernel - 1) * dilation + 1;
    pad = random.one_in(2) ? size(0, reach) : reach / 2;
    const size_t pad_end = random.one_in(2) ? size(0, reach) : reach / 2;
    in = size(1, 9);
    while (in + pad + pad_end < reach) ++in;
    out = (in + pad + pad_end - reach) / stride + 1;
  };
  c.batch = size(1, 2);
  axis(c.in_w, c.out_w, c.kernel_w, c.stride_w, c.dilation_w, c.pad_left);
  if (!line) axis(c.in_h, c.out_h, c.kernel_h, c.stride_h, c.dilation_h, c.pad_top);
  if (depthwise) {
    c.groups = size(1, 70);
    c.in_channels = c.groups;
    c.out_channels = c.groups;
  } else {
    c.groups = random.one_in(4) ? size(2, 4) : 1;
    c.in_channels = c.groups * size(1, random.one_in(3) ? 40 : 5);
    c.out_channels = c.groups * size(1, random.one_in(3) ? 40 : 9);
  }
  t.in_extra = random.one_in(2) ? size(1, 5) : 0;
  t.out_extra = random.one_in(2) ? size(1, 5) : 0;
  t.residual_extra = random.one_in(2) ? size(1, 5) : 0;
  t.bias = !random.one_in(3);
  t.residual = random.one_in(3);
  t.in_place = t.residual && random.one_in(2);
  t.clamp = random.one_in(2);
  t.extreme = random.one_in(3);
  return t;
}

inline std::string text_of(const ConvGeometry& c) {
  const auto pair = [](size_t a, size_t b) { return std::to_string(a) + "x" + std::to_string(b); };
  return std::to_string(c.batch) + " x " + pair(c.in_h, c.in_w) + "x" +
         std::to_string(c.in_channels) + " -> " + pair(c.out_h, c.out_w) + "x" +
         std::to_string(c.out_channels) + ", kernel " + pair(c.kernel_h, c.kernel_w) + ", stride " +
         pair(c.stride_h, c.stride_w) + ", dilation " + pair(c.dilation_h, c.dilation_w) +
         ", pad " + pair(c.pad_top, c.pad_left) + ", groups " + std::to_string(c.groups);
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_KERNELS_CONV_CASES_H_
