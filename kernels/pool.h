// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_POOL_H_
#define MEDULLA_KERNELS_POOL_H_

#include <cstddef>

namespace medulla {

// Windows over NHWC, placed and counted as conv.h says. Every window has a tap in the picture. An
// average divides by the taps in the picture or, with count_padding, by those in its padding too;
// what hangs over that (ONNX: ceil_mode) is never counted.
struct PoolGeometry {
  size_t batch = 1;
  size_t in_h = 1;
  size_t in_w = 1;
  size_t out_h = 1;
  size_t out_w = 1;
  size_t kernel_h = 1;
  size_t kernel_w = 1;
  size_t stride_h = 1;
  size_t stride_w = 1;
  size_t dilation_h = 1;
  size_t dilation_w = 1;
  size_t pad_top = 0;
  size_t pad_left = 0;
  size_t pad_bottom = 0;  // these two for count_padding alone
  size_t pad_right = 0;
  size_t channels = 1;
  bool count_padding = false;
};

// The taps of one output pixel that lie in the picture: `rows` times `columns` from input pixel
// `first`; `count` is the average's divisor.
struct PoolWindow {
  size_t first;
  size_t rows;
  size_t columns;
  size_t count;
};

// Taps [begin, end) of one dimension lie in the picture; those before `counted` in the padding too.
struct PoolTaps {
  size_t begin;
  size_t end;
  size_t counted;
};

static inline PoolTaps pool_taps(size_t out, size_t in, size_t kernel, size_t stride,
                                 size_t dilation, size_t pad_begin, size_t pad_end) {
  const size_t at = out * stride;  // in coordinates that begin with the padding
  const auto below = [&](size_t limit) {
    size_t taps = limit > at ? limit - at : 0;
    if (dilation > 1) taps = (taps + dilation - 1) / dilation;
    return taps < kernel ? taps : kernel;
  };
  return {below(pad_begin), below(pad_begin + in), below(pad_begin + in + pad_end)};
}

// Calls visit(p, window) for the output pixels [begin, end).
template <class Visit>
static inline void each_window(const PoolGeometry& g, size_t begin, size_t end, Visit visit) {
  size_t x = begin % g.out_w;
  size_t y = begin / g.out_w % g.out_h;
  size_t image = begin / g.out_w / g.out_h;
  const auto row_taps = [&] {
    return pool_taps(y, g.in_h, g.kernel_h, g.stride_h, g.dilation_h, g.pad_top, g.pad_bottom);
  };
  PoolTaps v = row_taps();
  for (size_t p = begin; p < end; ++p) {
    const PoolTaps h =
        pool_taps(x, g.in_w, g.kernel_w, g.stride_w, g.dilation_w, g.pad_left, g.pad_right);
    const size_t in_y = y * g.stride_h + v.begin * g.dilation_h - g.pad_top;
    const size_t in_x = x * g.stride_w + h.begin * g.dilation_w - g.pad_left;
    PoolWindow window;
    window.first = (image * g.in_h + in_y) * g.in_w + in_x;
    window.rows = v.end - v.begin;
    window.columns = h.end - h.begin;
    window.count = g.count_padding ? v.counted * h.counted : window.rows * window.columns;
    visit(p, window);
    if (++x < g.out_w) continue;
    x = 0;
    if (++y == g.out_h) {
      y = 0;
      ++image;
    }
    v = row_taps();
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_POOL_H_
