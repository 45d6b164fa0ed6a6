// SPDX-License-Identifier: Apache-2.0
#include "kernels/batch_norm_s8/batch_norm_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const BatchNormS8Kernel name;
#include "medulla_rows/batch_norm_s8.inc"
#undef MDL_KERNEL

namespace {

const char* batch_norm_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr BatchNormS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/batch_norm_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const BatchNormS8Row> batch_norm_s8_rows() { return kRows; }

}  // namespace medulla
