// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_f32/softmax_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const SoftmaxF32Kernel name;
#include "medulla_rows/softmax_f32.inc"
#undef MDL_KERNEL

namespace {

const char* softmax_f32_fits_any(const KernelRequest&) { return nullptr; }

constexpr SoftmaxF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/softmax_f32.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const SoftmaxF32Row> softmax_f32_rows() { return kRows; }

}  // namespace medulla
