// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_f32/pool_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const PoolF32Kernel name;
#include "medulla_rows/pool_f32.inc"
#undef MDL_KERNEL

namespace {

const char* pool_f32_fits_any(const KernelRequest&) { return nullptr; }

constexpr PoolF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/pool_f32.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const PoolF32Row> pool_f32_rows() { return kRows; }

}  // namespace medulla
