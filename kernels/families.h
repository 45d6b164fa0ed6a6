// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_FAMILIES_H_
#define MEDULLA_KERNELS_FAMILIES_H_

#include <span>

#include "kernels/isa.h"

namespace medulla {

struct KernelName {
  const char* family;
  const char* name;
  Isa isa;
};

// Every row that is built, family after family, in each best first.
std::span<const KernelName> kernel_names();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_FAMILIES_H_
