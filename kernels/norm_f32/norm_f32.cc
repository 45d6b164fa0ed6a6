// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm_f32/norm_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const NormF32Kernel name;
#include "medulla_rows/norm_f32.inc"
#undef MDL_KERNEL

namespace {

const char* norm_f32_fits_any(const KernelRequest&) { return nullptr; }

constexpr NormF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/norm_f32.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const NormF32Row> norm_f32_rows() { return kRows; }

}  // namespace medulla
