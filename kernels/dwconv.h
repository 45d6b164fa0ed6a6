// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_DWCONV_H_
#define MEDULLA_KERNELS_DWCONV_H_

#include "kernels/conv.h"

// Depthwise convolution by runs of outputs of a row whose taps are strided, for files of every ISA:
// all is static.
namespace medulla {

// What a tap reads for the first output of a run, and the elements from that to the next one's;
// padding repeats a pixel of padding with a step of 0.
template <class T>
struct DwConvTap {
  const T* in;
  size_t step;
};

// Calls run(taps, pixel, count) for the runs of outputs [pixel, pixel + count) that [begin, end)
// consists of: as many as have all columns of the kernel inside the picture, or one. `taps` has
// room for kernel_h times `columns` taps. Columns past the kernel's are those to the right of it;
// for the last output of a run they may lie outside the tensor.
template <class T, class Run>
static inline void for_each_run(const ConvGeometry& c, const T* in, size_t in_stride,
                                const T* padding, size_t columns, size_t begin, size_t end,
                                DwConvTap<T>* taps, const Run& run) {
  // Outputs [inner_begin, inner_end) of a row have all their columns inside the picture.
  const size_t reach = (c.kernel_w - 1) * c.dilation_w;
  const size_t inner_begin = (c.pad_left + c.stride_w - 1) / c.stride_w;
  const size_t inner_end =
      c.in_w + c.pad_left > reach ? (c.in_w + c.pad_left - reach - 1) / c.stride_w + 1 : 0;
  for (size_t p = begin; p < end;) {
    const size_t x = p % c.out_w;
    const size_t y = p / c.out_w % c.out_h;
    const size_t image = p / c.out_w / c.out_h;
    size_t count = 1;
    if (x >= inner_begin && x < inner_end) {
      count = (inner_end < c.out_w ? inner_end : c.out_w) - x;
      count = count < end - p ? count : end - p;
    }
    DwConvTap<T>* tap = taps;
    for (size_t ky = 0; ky < c.kernel_h; ++ky) {
      const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
      for (size_t kx = 0; kx < columns; ++kx, ++tap) {
        const size_t in_x = x * c.stride_w + kx * c.dilation_w - c.pad_left;
        *tap = {padding, 0};
        if (in_y < c.in_h && in_x < c.in_w) {
          *tap = {in + ((image * c.in_h + in_y) * c.in_w + in_x) * in_stride,
                  c.stride_w * in_stride};
        }
      }
    }
    run(taps, p, count);
    p += count;
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_DWCONV_H_
