// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"to", MDL_ATTRIBUTE_INT, true}};

// A bool made of any byte would be neither true nor false.
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const int64_t to = node.int_or("to", MDL_DTYPE_NONE);
  const mdl_dtype from = inputs[0].dtype;
  const bool known = to > MDL_DTYPE_NONE && to <= MDL_FLOAT64;
  const mdl_dtype dtype = known ? static_cast<mdl_dtype>(to) : MDL_DTYPE_NONE;
  if (mdl_dtype_bits(dtype) != mdl_dtype_bits(from) || !known ||
      (dtype == MDL_BOOL && from != MDL_BOOL)) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "to is ", to, " (", mdl_dtype_name(dtype),
                     "), should be a dtype of the ", mdl_dtype_bits(from), " bits of ",
                     mdl_dtype_name(from), ", and not bool");
  }
  return set_output(node, outputs, 0, dtype, inputs[0].shape, error);
}

}  // namespace

extern const Op op_BitCast = view_op("BitCast", infer, kAttributes);

}  // namespace medulla
