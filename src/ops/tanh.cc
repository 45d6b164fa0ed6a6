// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {

// y = tanh x.
extern const Op op_Tanh = unary_op("Tanh", reference_unary<tanh_f32>);

}  // namespace medulla
