// SPDX-License-Identifier: Apache-2.0
#include "src/ops/broadcast.h"
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"shape", MDL_ATTRIBUTE_INTS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  const std::span<const int64_t> wanted = node.ints("shape");
  if (wanted.size() > MDL_MAX_RANK) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "shape has ", wanted.size(),
                     " dimensions, should have at most ", MDL_MAX_RANK);
  }
  mdl_shape shape = {static_cast<uint32_t>(wanted.size()), {}};
  for (uint32_t d = 0; d < shape.rank; ++d) shape.dims[d] = wanted[d];
  MDL_TRY(broadcast_shapes(node, inputs[0].shape, shape, &shape, error));
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const mdl_shape& shape = call.output_types[0].shape;
  copy_strided(element_bytes(x), shape, call.inputs[0], broadcast_strides(x.shape, shape),
               call.outputs[0]);
  return MDL_OK;
}

}  // namespace

extern const Op op_Expand = {
    .name = "Expand",
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
