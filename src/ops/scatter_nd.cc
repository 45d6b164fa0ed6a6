// SPDX-License-Identifier: Apache-2.0
#include "src/ops/scatter.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"reduction", MDL_ATTRIBUTE_STRING}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(infer_scatter(node, inputs, outputs, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& indices = inputs[1].shape;
  const mdl_shape& updates = inputs[2].shape;
  const int64_t k = indices.rank > 0 ? indices.dims[indices.rank - 1] : 0;
  bool fits = k >= 1 && k <= x.rank && updates.rank + k == indices.rank - 1 + x.rank;
  for (uint32_t d = 0; fits && d < updates.rank; ++d) {
    const bool outer = d + 1 < indices.rank;
    fits = updates.dims[d] ==
           (outer ? indices.dims[d] : x.dims[d - (indices.rank - 1) + static_cast<uint32_t>(k)]);
  }
  if (!fits) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input is ", x, ", indices are ", indices,
                     " and updates ", updates,
                     "; should be [..., k] with k from 1 to the input's rank, and [...] with the "
                     "input's dimensions from k on");
  }
  return MDL_OK;
}

// y = x, then y[indices[n]] takes updates[n], element by element, n in order.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  const mdl_shape& indices = call.input_types[1].shape;
  const auto k = static_cast<uint32_t>(indices.dims[indices.rank - 1]);
  Reduction reduction = Reduction::kNone;
  MDL_TRY(read_reduction(call.node, &reduction, error));
  copy_scattered(call);
  if (call.input_types[2].elements() == 0) return MDL_OK;
  const int64_t row = extent(x.shape, k, x.rank());
  const int64_t count = extent(indices, 0, indices.rank - 1);
  for (int64_t n = 0; n < count; ++n) {
    int64_t at;
    MDL_TRY(read_tuple(call, 1, n, x.shape, 0, &at, error));
    scatter(reduction, x.dtype, call.outputs[0], at, call.inputs[2], n * row, row);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_ScatterND = {
    .name = "ScatterND",
    .min_inputs = 3,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_scatter,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
