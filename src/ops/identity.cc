// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  return set_output(node, outputs, 0, inputs[0].dtype, inputs[0].shape, error);
}

}  // namespace

extern const Op op_Identity = view_op("Identity", infer);

}  // namespace medulla
