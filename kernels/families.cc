// SPDX-License-Identifier: Apache-2.0
#include "kernels/families.h"

namespace medulla {
namespace {

constexpr KernelName kNames[] = {
#define MDL_KERNEL_OF(family, name, isa) {#family, #name, Isa::isa},
#include "medulla_rows/all_families.inc"
#undef MDL_KERNEL_OF
};

}  // namespace

std::span<const KernelName> kernel_names() { return kNames; }

}  // namespace medulla
