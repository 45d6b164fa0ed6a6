// SPDX-License-Identifier: Apache-2.0
#include "kernels/transpose/transpose.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const TransposeKernel name;
#include "medulla_rows/transpose.inc"
#undef MDL_KERNEL

namespace {

const char* transpose_fits_any(const KernelRequest&) { return nullptr; }

constexpr TransposeRow kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/transpose.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const TransposeRow> transpose_rows() { return kRows; }

}  // namespace medulla
