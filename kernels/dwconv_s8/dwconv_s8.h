// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_DWCONV_S8_DWCONV_S8_H_
#define MEDULLA_KERNELS_DWCONV_S8_DWCONV_S8_H_

#include <span>

#include "kernels/conv_s8/conv_s8.h"

// Depthwise convolution, groups = in_channels = out_channels: conv_s8's formula, problem, arguments
// and kernel type; k = kernel_h * kernel_w in the order ky, kx.
namespace medulla {

std::span<const ConvS8Row> dwconv_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_DWCONV_S8_DWCONV_S8_H_
