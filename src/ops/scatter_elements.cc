// SPDX-License-Identifier: Apache-2.0
#include "src/ops/scatter.h"
#include "src/ops/walk.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT},
                                         {"reduction", MDL_ATTRIBUTE_STRING}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(infer_scatter(node, inputs, outputs, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& indices = inputs[1].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), x.rank, &axis, error));
  bool fits = indices.rank == x.rank && inputs[2].rank() == x.rank;
  for (uint32_t d = 0; fits && d < x.rank; ++d) {
    fits = indices.dims[d] == inputs[2].dim(d) && (d == axis || indices.dims[d] <= x.dims[d]);
  }
  if (!fits) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "indices are ", indices, " and updates ",
                     inputs[2].shape, ", should have one shape that lies in ", x, " but for axis ",
                     axis);
  }
  return MDL_OK;
}

// y = x, then y[i... with the axis at indices[i...]] takes updates[i...], in order.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  Reduction reduction = Reduction::kNone;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  MDL_TRY(read_reduction(call.node, &reduction, error));
  copy_scattered(call);
  Strides strides = dense_strides(x.shape);
  const int64_t along = strides.of[axis];
  strides.of[axis] = 0;
  int64_t i = 0;
  for (Walk<1> w(call.input_types[1].shape, {strides}); !w.done(); w.next(), ++i) {
    int64_t index;
    MDL_TRY(read_index(call, 1, i, x.dim(axis), &index, error));
    scatter(reduction, x.dtype, call.outputs[0], w.offset[0] + index * along, call.inputs[2], i, 1);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_ScatterElements = {
    .name = "ScatterElements",
    .min_inputs = 3,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_scatter,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
