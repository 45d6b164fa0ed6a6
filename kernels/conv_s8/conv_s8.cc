// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"

#include "kernels/gemm_s8/gemm_s8.h"

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

size_t conv_s8_packed_bytes(const ConvGeometry& conv, PackingS8 packing) {
  const size_t k = conv.kernel_h * conv.kernel_w * (conv.in_channels / conv.groups);
  return conv.groups * packed_bytes_s8(conv.out_channels / conv.groups, k, packing);
}

void conv_s8_pack(const ConvGeometry& conv, const WeightsS8& w, PackingS8 packing, int32_t fold,
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
    pack_s8(part, packing, fold, to);
    to += packed_bytes_s8(part.n, part.k, packing);
  }
}

}  // namespace medulla
