// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_s8/dwconv_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvS8Kernel name;
#include "medulla_rows/dwconv_s8.inc"
#undef MDL_KERNEL

namespace {

const char* dwconv_s8_fits_any(const ConvS8Problem&) { return nullptr; }

constexpr ConvS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/dwconv_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const ConvS8Row> dwconv_s8_rows() { return kRows; }

}  // namespace medulla
