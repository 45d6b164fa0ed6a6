// SPDX-License-Identifier: Apache-2.0
#include "kernels/lut_s8/lut_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const LutS8Kernel name;
#include "medulla_rows/lut_s8.inc"
#undef MDL_KERNEL

namespace {

const char* lut_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr LutS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/lut_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const LutS8Row> lut_s8_rows() { return kRows; }

}  // namespace medulla
