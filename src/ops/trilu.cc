// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"upper", MDL_ATTRIBUTE_INT}, {"k", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  if (inputs[0].rank() < 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", inputs[0].shape,
                     ", should have rank 2 or more");
  }
  return set_output(node, outputs, 0, inputs[0].dtype, inputs[0].shape, error);
}

// Keeps what lies on and above diagonal k, or on and below it; zeros elsewhere.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const bool upper = call.node.int_or("upper", 1) != 0;
  const int64_t k = call.node.int_or("k", 0);
  const int64_t rows = x.dim(x.rank() - 2);
  const int64_t columns = x.dim(x.rank() - 1);
  const int64_t count = x.elements();
  const size_t bytes = element_bytes(x);
  auto* y = static_cast<uint8_t*>(call.outputs[0]);
  if (count > 0) std::memmove(y, call.inputs[0], static_cast<size_t>(count) * bytes);
  for (int64_t i = 0; i < count; ++i) {
    // Compared so that no k overflows.
    const int64_t diagonal = i % columns - i / columns % rows;
    if (upper ? diagonal < k : diagonal > k) {
      std::memset(y + static_cast<size_t>(i) * bytes, 0, bytes);
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Trilu = {
    .name = "Trilu",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
