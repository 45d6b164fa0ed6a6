// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_H_
#define MEDULLA_KERNELS_CONV_H_

#include <cstddef>

namespace medulla {

// A convolution over NHWC. Tap (ky, kx) of output (y, x) is the input pixel
//   (y * stride_h + ky * dilation_h - pad_top, x * stride_w + kx * dilation_w - pad_left)
// and padding if that lies outside the picture; so padding at the bottom and right follows from
// the output's size. A signal of one dimension has height 1.
//
// Work is cut by output pixels, counted through rows and images: row y of image b is
// [(b * out_h + y) * out_w, (b * out_h + y + 1) * out_w). Any range gives the same bytes.
struct ConvGeometry {
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
  size_t groups = 1;        // divides both counts of channels
  size_t in_channels = 1;   // of all groups
  size_t out_channels = 1;  // likewise
};

}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_H_
