// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_s8/dwconv_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvS8Kernel name;
#include "medulla_rows/dwconv_s8.inc"
#undef MDL_KERNEL

namespace {

const char* dwconv_s8_fits_any(const ConvS8Problem&) { return nullptr; }

// Unused where no ISA of the target has such a row.
[[maybe_unused]] const char* dwconv_s8_fits_3x3(const ConvS8Problem& p) {
  const ConvGeometry& c = p.conv;
  if (c.kernel_h != 3 || c.kernel_w != 3) return "not 3x3";
  if (c.stride_w > 2 || c.dilation_w != 1)
    return "columns are neither next to each other nor two apart";
  return c.out_channels < 16 ? "fewer than 16 channels" : nullptr;
}

[[maybe_unused]] const char* dwconv_s8_fits_narrow_3x3(const ConvS8Problem& p) {
  const char* const refusal = dwconv_s8_fits_3x3(p);
  return refusal != nullptr ? refusal : fits_narrow_s8(p);
}

constexpr ConvS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/dwconv_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const ConvS8Row> dwconv_s8_rows() { return kRows; }

}  // namespace medulla
