// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "src/ops/cumulate.h"

namespace medulla {

extern const Op op_CumSum = cumulate_op<0, std::plus<>>("CumSum");

}  // namespace medulla
