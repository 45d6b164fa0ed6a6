// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& indices = inputs[1].shape;
  MDL_TRY(check_indices(node, inputs, 1, error));
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), x.rank, &axis, error));
  if (x.rank + indices.rank - 1 > MDL_MAX_RANK) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "shapes ", x, " and ", indices,
                     " give a rank of ", x.rank + indices.rank - 1, ", should be at most ",
                     MDL_MAX_RANK);
  }
  mdl_shape shape = {};
  for (uint32_t d = 0; d < axis; ++d) shape.dims[shape.rank++] = x.dims[d];
  for (uint32_t d = 0; d < indices.rank; ++d) shape.dims[shape.rank++] = indices.dims[d];
  for (uint32_t d = axis + 1; d < x.rank; ++d) shape.dims[shape.rank++] = x.dims[d];
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// y[o, i, r] = x[o, indices[i], r], o over the dimensions before the axis, r over those behind it;
// an index below zero counts from the end.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  const int64_t size = x.dim(axis);
  const size_t bytes = static_cast<size_t>(extent(x.shape, axis + 1, x.rank())) * element_bytes(x);
  if (call.output_types[0].elements() == 0) return MDL_OK;
  const uint8_t* from = call.in<uint8_t>(0);
  uint8_t* to = call.out<uint8_t>(0);
  const int64_t count = call.input_types[1].elements();
  for (int64_t o = extent(x.shape, 0, axis); o > 0; --o) {
    for (int64_t i = 0; i < count; ++i) {
      int64_t row;
      MDL_TRY(read_index(call, 1, i, size, &row, error));
      std::memcpy(to, from + static_cast<size_t>(row) * bytes, bytes);
      to += bytes;
    }
    from += static_cast<size_t>(size) * bytes;
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Gather = {
    .name = "Gather",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
