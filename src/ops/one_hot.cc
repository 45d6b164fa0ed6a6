// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"depth", MDL_ATTRIBUTE_INT, true},
                                         {"axis", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_indices(node, inputs, 0, error));
  MDL_TRY(check_movable(node, inputs, 1, error));
  const mdl_shape& indices = inputs[0].shape;
  const mdl_shape& values = inputs[1].shape;
  if (values.rank != 1 || values.dims[0] != 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 1 is ", values,
                     ", should be [2]: the value elsewhere, the value at the index");
  }
  if (indices.rank == MDL_MAX_RANK) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "indices are ", indices,
                     ", should have at most ", MDL_MAX_RANK - 1, " dimensions");
  }
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", -1), indices.rank + 1, &axis, error));
  mdl_shape shape = {indices.rank + 1, {}};
  for (uint32_t d = 0; d < shape.rank; ++d) {
    shape.dims[d] = d == axis ? node.int_or("depth", 0) : indices.dims[d < axis ? d : d - 1];
  }
  return set_output(node, outputs, 0, inputs[1].dtype, shape, error);
}

// y[o, i, r] = values[indices[o, r] = i], o over the dimensions before the axis, r over those
// behind it; an index from -depth to -1 counts from the end, what is out of range is nowhere.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& y = call.output_types[0];
  const int64_t depth = call.node.int_or("depth", 0);
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), y.rank(), &axis, error));
  const int64_t outer = extent(y.shape, 0, axis);
  const int64_t inner = extent(y.shape, axis + 1, y.rank());
  const size_t bytes = element_bytes(y);
  uint8_t* to = call.out<uint8_t>(0);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < depth; ++i) {
      for (int64_t r = 0; r < inner; ++r, to += bytes) {
        const int64_t index = int_at(call, 0, o * inner + r);
        const bool hit = index == i || (index < 0 && index == i - depth);
        std::memcpy(to, call.in<uint8_t>(1) + (hit ? bytes : 0), bytes);
      }
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs: indices, values.
extern const Op op_OneHot = {
    .name = "OneHot",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla
