// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/concat.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  return infer_concat(node, inputs, outputs, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  for (size_t i = 0; i < node.input_count(); ++i) {
    MDL_TRY(check_same_quantization(node, *node.input(i), *node.output(0), error));
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& y = call.output_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), y.rank(), &axis, error));
  const size_t outer = static_cast<size_t>(extent(y.shape, 0, axis));
  const size_t pitch = static_cast<size_t>(extent(y.shape, axis, y.rank())) * element_bytes(y);
  uint8_t* to = call.out<uint8_t>(0);
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const size_t bytes =
        outer == 0 ? 0
                   : static_cast<size_t>(call.input_types[i].elements()) * element_bytes(y) / outer;
    if (bytes == 0) continue;
    for (size_t o = 0; o < outer; ++o) {
      std::memcpy(to + o * pitch, call.in<uint8_t>(i) + o * bytes, bytes);
    }
    to += bytes;
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Concat = {
    .name = "Concat",
    .max_inputs = UINT32_MAX,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
