// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"

#include "kernels/gemm_s8/gemm_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvS8Kernel name;
#include "medulla_rows/conv_s8.inc"
#undef MDL_KERNEL

namespace {

const char* conv_s8_fits_any(const ConvS8Problem&) { return nullptr; }

// Of few channels, gathering would cost more than multiplying; of more, the end of each row of
// outputs must not. Measured on Zen 4. Unused where no ISA of the target has such rows.
[[maybe_unused]] const char* conv_s8_fits_lines(const ConvS8Problem& p) {
  if (p.conv.groups != 1) return "more than one group";
  if (p.conv.dilation_w != 1) return "columns are dilated";
  return p.conv.in_channels <= 4 || p.conv.out_w >= 12 ? nullptr : "rows of outputs are short";
}

[[maybe_unused]] const char* conv_s8_fits_narrow_lines(const ConvS8Problem& p) {
  const char* const refusal = conv_s8_fits_lines(p);
  return refusal != nullptr ? refusal : fits_narrow_s8(p);
}

// With few outputs, arranging inputs for sorted weights costs more than these save. As above.
[[maybe_unused]] const char* conv_s8_fits_sorted(const ConvS8Problem& p) {
  if (p.conv.out_channels / p.conv.groups < 96 && conv_s8_fits_lines(p) == nullptr) {
    return "few output channels";
  }
  if (p.conv.in_channels <= 4) return "few input channels";
  return fits_narrow_s8(p);
}

[[maybe_unused]] const char* conv_s8_fits_tiles(const ConvS8Problem& p) {
  const ConvGeometry& c = p.conv;
  const char* const refusal =
      tiles_refusal_s8(c.batch * c.out_h * c.out_w, c.out_channels / c.groups,
                       c.kernel_h * c.kernel_w * (c.in_channels / c.groups));
  return refusal != nullptr ? refusal : fits_narrow_s8(p);
}

// Of short lines, and of short rows of outputs, tiles stay half empty.
[[maybe_unused]] const char* conv_s8_fits_tile_lines(const ConvS8Problem& p) {
  if (p.conv.groups != 1 || p.conv.dilation_w != 1) return conv_s8_fits_lines(p);
  if (p.conv.kernel_w * p.conv.in_channels < 32) return "few products of a line";
  return p.conv.out_w >= 24 ? conv_s8_fits_tiles(p) : "rows of outputs are short";
}

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
