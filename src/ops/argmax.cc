// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "src/ops/arg.h"

namespace medulla {

// The index of the greatest value.
extern const Op op_ArgMax = arg_op<std::greater<>>("ArgMax");

}  // namespace medulla
