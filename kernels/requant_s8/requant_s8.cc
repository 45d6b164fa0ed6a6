// SPDX-License-Identifier: Apache-2.0
#include "kernels/requant_s8/requant_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const RequantS8Kernel name;
#include "medulla_rows/requant_s8.inc"
#undef MDL_KERNEL

namespace {

const char* requant_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr RequantS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/requant_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const RequantS8Row> requant_s8_rows() { return kRows; }

}  // namespace medulla
