// SPDX-License-Identifier: Apache-2.0
#include "kernels/requant_s8/rows.h"

namespace medulla {

extern const RequantS8Kernel requant_s8_portable;
constexpr RequantS8Kernel requant_s8_portable = make_requant_s8<F32x1>();

}  // namespace medulla
