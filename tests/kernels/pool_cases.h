// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_KERNELS_POOL_CASES_H_
#define MEDULLA_TESTS_KERNELS_POOL_CASES_H_

#include <algorithm>
#include <sstream>
#include <string>

#include "kernels/pool.h"
#include "tests/kernels/util.h"

namespace medulla::test {

inline std::string text_of(const PoolGeometry& g) {
  std::ostringstream text;
  text << g.batch << "x" << g.in_h << "x" << g.in_w << "x" << g.channels << " to " << g.out_h << "x"
       << g.out_w << " kernel " << g.kernel_h << "x" << g.kernel_w << " stride " << g.stride_h
       << "x" << g.stride_w << " dilation " << g.dilation_h << "x" << g.dilation_w << " pads "
       << g.pad_top << " " << g.pad_left << " " << g.pad_bottom << " " << g.pad_right
       << (g.count_padding ? " counted" : "");
  return text.str();
}

// As ONNX has it, with ceil_mode or without; every window has a tap in the picture.
inline PoolGeometry random_pool(Random& random) {
  PoolGeometry g;
  g.batch = random.integer<size_t>(1, 2);
  g.channels = random.integer<size_t>(1, random.one_in(3) ? 150 : 20);
  g.count_padding = random.one_in(2);
  const bool ceil = random.one_in(2);
  const auto axis = [&](size_t& in, size_t& out, size_t& kernel, size_t& stride, size_t& dilation,
                        size_t& begin, size_t& end) {
    kernel = random.integer<size_t>(1, 4);
    stride = random.integer<size_t>(1, 3);
    dilation = random.one_in(3) ? 2 : 1;
    const size_t extent = (kernel - 1) * dilation + 1;
    begin = dilation == 1 ? random.integer<size_t>(0, kernel - 1) : 0;
    end = dilation == 1 ? random.integer<size_t>(0, kernel - 1) : 0;
    in = extent + random.integer<size_t>(0, 6);
    const size_t room = in + begin + end - extent;
    out = room / stride + 1;
    // A window that would begin behind the picture is dropped.
    if (ceil && room % stride != 0 && out * stride < in + begin) ++out;
    while ((out - 1) * stride >= in + begin) --out;
  };
  axis(g.in_h, g.out_h, g.kernel_h, g.stride_h, g.dilation_h, g.pad_top, g.pad_bottom);
  axis(g.in_w, g.out_w, g.kernel_w, g.stride_w, g.dilation_w, g.pad_left, g.pad_right);
  if (random.one_in(3)) {  // a signal
    g.in_h = g.out_h = g.kernel_h = 1;
    g.pad_top = g.pad_bottom = 0;
  }
  return g;
}

// Calls tap(pixel) for the taps of output pixel `p` in the picture, in the order ky, kx; returns
// the average's divisor.
template <class Tap>
size_t for_each_tap(const PoolGeometry& g, size_t p, const Tap& tap) {
  const size_t x = p % g.out_w;
  const size_t y = p / g.out_w % g.out_h;
  const size_t image = p / g.out_w / g.out_h;
  size_t inside = 0;
  size_t counted = 0;
  for (size_t ky = 0; ky < g.kernel_h; ++ky) {
    for (size_t kx = 0; kx < g.kernel_w; ++kx) {
      const size_t in_y = y * g.stride_h + ky * g.dilation_h;
      const size_t in_x = x * g.stride_w + kx * g.dilation_w;
      if (in_y >= g.pad_top + g.in_h + g.pad_bottom) continue;
      if (in_x >= g.pad_left + g.in_w + g.pad_right) continue;
      ++counted;
      if (in_y < g.pad_top || in_y >= g.pad_top + g.in_h) continue;
      if (in_x < g.pad_left || in_x >= g.pad_left + g.in_w) continue;
      ++inside;
      tap((image * g.in_h + in_y - g.pad_top) * g.in_w + in_x - g.pad_left);
    }
  }
  return g.count_padding ? counted : inside;
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_KERNELS_POOL_CASES_H_
