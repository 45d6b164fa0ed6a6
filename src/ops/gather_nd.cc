// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"batch_dims", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(check_indices(node, inputs, 1, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& indices = inputs[1].shape;
  const int64_t batch = node.int_or("batch_dims", 0);
  const int64_t k = indices.rank > 0 ? indices.dims[indices.rank - 1] : 0;
  bool fits = batch >= 0 && batch < indices.rank && batch < x.rank && k >= 1 && k <= x.rank - batch;
  for (uint32_t d = 0; fits && d < batch; ++d) fits = x.dims[d] == indices.dims[d];
  if (!fits) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input is ", x, ", indices are ", indices,
                     " and batch_dims is ", batch,
                     "; should be [batch..., ...] and [batch..., ..., k] with k from 1 to the rank "
                     "of the rest of the input");
  }
  const uint32_t rest = static_cast<uint32_t>(batch + k);
  const uint32_t rank = indices.rank - 1 + x.rank - rest;
  if (rank > MDL_MAX_RANK) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "shapes ", x, " and ", indices,
                     " give a rank of ", rank, ", should be at most ", MDL_MAX_RANK);
  }
  mdl_shape shape = {};
  for (uint32_t d = 0; d + 1 < indices.rank; ++d) shape.dims[shape.rank++] = indices.dims[d];
  for (uint32_t d = rest; d < x.rank; ++d) shape.dims[shape.rank++] = x.dims[d];
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// y[b..., i..., r...] = x[b..., indices[b..., i...], r...].
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  const mdl_shape& indices = call.input_types[1].shape;
  if (call.output_types[0].elements() == 0) return MDL_OK;
  const auto batch = static_cast<uint32_t>(call.node.int_or("batch_dims", 0));
  const auto k = static_cast<uint32_t>(indices.dims[indices.rank - 1]);
  const int64_t batches = extent(x.shape, 0, batch);
  const int64_t pitch = extent(x.shape, batch, x.rank());
  const int64_t row = extent(x.shape, batch + k, x.rank());
  const int64_t count = extent(indices, batch, indices.rank - 1);
  const size_t bytes = static_cast<size_t>(row) * element_bytes(x);
  uint8_t* y = call.out<uint8_t>(0);
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t i = 0; i < count; ++i, y += bytes) {
      int64_t at;
      MDL_TRY(read_tuple(call, 1, b * count + i, x.shape, batch, &at, error));
      const auto from = static_cast<size_t>(b * pitch + at) * element_bytes(x);
      std::memcpy(y, call.in<uint8_t>(0) + from, bytes);
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_GatherND = {
    .name = "GatherND",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
