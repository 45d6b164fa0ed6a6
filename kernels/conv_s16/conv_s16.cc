// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s16/conv_s16.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvS16Kernel name;
#include "medulla_rows/conv_s16.inc"
#undef MDL_KERNEL

namespace {

const char* conv_s16_fits_any(const ConvS16Problem&) { return nullptr; }

constexpr ConvS16Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/conv_s16.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const ConvS16Row> conv_s16_rows() { return kRows; }

}  // namespace medulla
