// SPDX-License-Identifier: Apache-2.0
#include "kernels/mul_s8/mul_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const MulS8Kernel name;
#include "medulla_rows/mul_s8.inc"
#undef MDL_KERNEL

namespace {

const char* mul_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr MulS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/mul_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const MulS8Row> mul_s8_rows() { return kRows; }

}  // namespace medulla
