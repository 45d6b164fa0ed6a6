// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_f32/dwconv_f32.h"

#include <cstring>

#include "kernels/gemm_f32/gemm_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const DwConvF32Kernel name;
#include "medulla_rows/dwconv_f32.inc"
#undef MDL_KERNEL

namespace {

const char* dwconv_f32_fits_any(const DwConvF32Problem&) { return nullptr; }

constexpr DwConvF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/dwconv_f32.inc"
#undef MDL_KERNEL
};

size_t panel_bytes(size_t nr, const ConvGeometry& conv) {
  return gemm_f32_packed_bytes(nr, conv.out_channels, conv.kernel_h * conv.kernel_w);
}

}  // namespace

std::span<const DwConvF32Row> dwconv_f32_rows() { return kRows; }

size_t dwconv_f32_packed_bytes(size_t nr, const ConvGeometry& conv) {
  return panel_bytes(nr, conv) + conv.in_channels * sizeof(float);
}

void dwconv_f32_pack(size_t nr, const ConvGeometry& conv, const float* weights, const float* bias,
                     void* packed) {
  const size_t taps = conv.kernel_h * conv.kernel_w;
  gemm_f32_pack(nr, conv.out_channels, taps, weights, 1, taps, bias, packed);
  std::memset(static_cast<unsigned char*>(packed) + panel_bytes(nr, conv), 0,
              conv.in_channels * sizeof(float));
}

const float* dwconv_f32_zeros(size_t nr, const ConvGeometry& conv, const void* packed) {
  return static_cast<const float*>(packed) + panel_bytes(nr, conv) / sizeof(float);
}

}  // namespace medulla
