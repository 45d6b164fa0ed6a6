// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_s8/pool_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const PoolS8Kernel name;
#include "medulla_rows/pool_s8.inc"
#undef MDL_KERNEL

namespace {

const char* pool_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr PoolS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/pool_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const PoolS8Row> pool_s8_rows() { return kRows; }

}  // namespace medulla
