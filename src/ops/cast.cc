// SPDX-License-Identifier: Apache-2.0
#include "src/ops/number.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"to", MDL_ATTRIBUTE_INT, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  const int64_t to = node.int_or("to", 0);
  const mdl_dtype dtype =
      to >= 0 && to <= MDL_FLOAT64 ? static_cast<mdl_dtype>(to) : MDL_DTYPE_NONE;
  if (mdl_dtype_bits(dtype) < 8) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "to is ", to,
                     ", should be a dtype with elements of whole bytes");
  }
  return set_output(node, outputs, 0, dtype, inputs[0].shape, error);
}

// y = x in another type, by the rules of number.h.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const mdl_dtype to = call.output_types[0].dtype;
  const int64_t count = x.elements();
  for (int64_t i = 0; i < count; ++i) {
    load_number(x.dtype, call.inputs[0], i,
                [&](auto value) { store_number(to, call.outputs[0], i, value); });
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Cast = {
    .name = "Cast",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla
