// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_s8/rows.h"

namespace medulla {

extern const AddS8Kernel add_s8_portable;
constexpr AddS8Kernel add_s8_portable = make_add_s8<F32x1>();

}  // namespace medulla
