// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "src/ops/cumulate.h"

namespace medulla {

extern const Op op_CumProd = cumulate_op<1, std::multiplies<>>("CumProd");

}  // namespace medulla
