// SPDX-License-Identifier: Apache-2.0
#include "kernels/sha256/sha256.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const Sha256Kernel name;
#include "medulla_rows/sha256.inc"
#undef MDL_KERNEL

namespace {

const char* sha256_fits_any(const KernelRequest&) { return nullptr; }

constexpr Sha256Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/sha256.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const Sha256Row> sha256_rows() { return kRows; }

}  // namespace medulla
