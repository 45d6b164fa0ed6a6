// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvS8Kernel name;
#include "medulla_rows/conv_s8.inc"
#undef MDL_KERNEL

namespace {

const char* conv_s8_fits_any(const ConvS8Problem&) { return nullptr; }

constexpr ConvS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/conv_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const ConvS8Row> conv_s8_rows() { return kRows; }

size_t conv_s8_packed_bytes(const ConvGeometry& conv, size_t (*packed_bytes)(const WeightsS8& w)) {
  WeightsS8 part;
  part.n = conv.out_channels / conv.groups;
  part.k = conv.kernel_h * conv.kernel_w * (conv.in_channels / conv.groups);
  return conv.groups * packed_bytes(part);
}

void conv_s8_pack(const ConvGeometry& conv, const WeightsS8& w, int32_t in_zero_point,
                  size_t (*packed_bytes)(const WeightsS8& w),
                  void (*pack)(const WeightsS8& w, int32_t in_zero_point, void* packed),
                  void* packed) {
  WeightsS8 part = w;
  part.n = conv.out_channels / conv.groups;
  unsigned char* to = static_cast<unsigned char*>(packed);
  for (size_t first = 0; first < conv.out_channels; first += part.n) {
    part.w = w.w + first * w.n_stride;
    part.scale = w.scale + first * w.scale_step;
    if (w.zero_points != nullptr) part.zero_points = w.zero_points + first * w.zero_point_step;
    if (w.bias != nullptr) part.bias = w.bias + first;
    if (w.float_bias != nullptr) part.float_bias = w.float_bias + first;
    pack(part, in_zero_point, to);
    to += packed_bytes(part);
  }
}

}  // namespace medulla
