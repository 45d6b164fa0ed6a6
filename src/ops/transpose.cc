// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"perm", MDL_ATTRIBUTE_INTS}};

// Output dimension d is the input's dimension source(d); without perm they are reversed.
uint32_t source(std::span<const int64_t> perm, uint32_t rank, uint32_t d) {
  return perm.empty() ? rank - 1 - d : static_cast<uint32_t>(perm[d]);
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  const mdl_shape& x = inputs[0].shape;
  const std::span<const int64_t> perm = node.ints("perm");
  uint32_t seen = 0;
  for (const int64_t p : perm) {
    if (p >= 0 && p < x.rank) seen |= 1u << p;
  }
  if (!perm.empty() && (perm.size() != x.rank || seen != (1u << x.rank) - 1)) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "perm should hold each of 0 to ",
                     int64_t{x.rank} - 1, " once");
  }
  mdl_shape shape = {x.rank, {}};
  for (uint32_t d = 0; d < x.rank; ++d) shape.dims[d] = x.dims[source(perm, x.rank, d)];
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const std::span<const int64_t> perm = call.node.ints("perm");
  const Strides dense = dense_strides(x.shape);
  Strides strides;
  for (uint32_t d = 0; d < x.rank(); ++d) strides.of[d] = dense.of[source(perm, x.rank(), d)];
  copy_strided(element_bytes(x), call.output_types[0].shape, call.inputs[0], strides,
               call.outputs[0]);
  return MDL_OK;
}

}  // namespace

extern const Op op_Transpose = {
    .name = "Transpose",
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
