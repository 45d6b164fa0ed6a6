// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_s8/add_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const AddS8Kernel name;
#include "medulla_rows/add_s8.inc"
#undef MDL_KERNEL

namespace {

const char* add_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr AddS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/add_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const AddS8Row> add_s8_rows() { return kRows; }

}  // namespace medulla
