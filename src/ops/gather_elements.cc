// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"
#include "src/ops/walk.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(check_indices(node, inputs, 1, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& indices = inputs[1].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), x.rank, &axis, error));
  bool fits = indices.rank == x.rank;
  for (uint32_t d = 0; fits && d < x.rank; ++d) {
    fits = d == axis || indices.dims[d] <= x.dims[d];
  }
  if (!fits) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "indices are ", indices, ", should lie in ", x,
                     " but for axis ", axis);
  }
  return set_output(node, outputs, 0, inputs[0].dtype, indices, error);
}

// y[i...] = x[i... with the axis at indices[i...]].
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  Strides strides = dense_strides(x.shape);
  const int64_t along = strides.of[axis];
  strides.of[axis] = 0;
  const size_t bytes = element_bytes(x);
  uint8_t* y = call.out<uint8_t>(0);
  int64_t i = 0;
  for (Walk<1> w(call.output_types[0].shape, {strides}); !w.done(); w.next(), ++i, y += bytes) {
    int64_t index;
    MDL_TRY(read_index(call, 1, i, x.dim(axis), &index, error));
    const auto from = static_cast<size_t>(w.offset[0] + index * along);
    std::memcpy(y, call.in<uint8_t>(0) + from * bytes, bytes);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_GatherElements = {
    .name = "GatherElements",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
