// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_s8/softmax_s8.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const SoftmaxS8Kernel name;
#include "medulla_rows/softmax_s8.inc"
#undef MDL_KERNEL

namespace {

const char* softmax_s8_fits_any(const KernelRequest&) { return nullptr; }

constexpr SoftmaxS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/softmax_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const SoftmaxS8Row> softmax_s8_rows() { return kRows; }

}  // namespace medulla
