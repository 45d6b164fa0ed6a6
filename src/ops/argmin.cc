// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "src/ops/arg.h"

namespace medulla {

// The index of the least value.
extern const Op op_ArgMin = arg_op<std::less<>>("ArgMin");

}  // namespace medulla
