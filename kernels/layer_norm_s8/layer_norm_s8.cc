// SPDX-License-Identifier: Apache-2.0
#include "kernels/layer_norm_s8/layer_norm_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const LayerNormS8Kernel name;
#include "medulla_rows/layer_norm_s8.inc"
#undef MDL_KERNEL

namespace {

const char* layer_norm_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr LayerNormS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/layer_norm_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const LayerNormS8Row> layer_norm_s8_rows() { return kRows; }

}  // namespace medulla
