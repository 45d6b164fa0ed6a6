// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"
#include "src/ops/walk.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"batch_axis", MDL_ATTRIBUTE_INT},
                                         {"time_axis", MDL_ATTRIBUTE_INT}};

mdl_status read_axes(const NodeView& node, uint32_t rank, uint32_t* batch, uint32_t* time,
                     mdl_error* error) {
  MDL_TRY(resolve_axis(node, node.int_or("batch_axis", 1), rank, batch, error));
  MDL_TRY(resolve_axis(node, node.int_or("time_axis", 0), rank, time, error));
  if (*batch != *time) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "batch_axis and time_axis are both ", *batch,
                   ", should differ");
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(check_indices(node, inputs, 1, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& lengths = inputs[1].shape;
  uint32_t batch, time;
  MDL_TRY(read_axes(node, x.rank, &batch, &time, error));
  if (lengths.rank != 1 || lengths.dims[0] != x.dims[batch]) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 1 is ", lengths, ", should be [",
                     x.dims[batch], ']');
  }
  return set_output(node, outputs, 0, inputs[0].dtype, x, error);
}

// The first lengths[b] steps of sequence b in reverse, the others as they are.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t batch, time;
  MDL_TRY(read_axes(call.node, x.rank(), &batch, &time, error));
  for (int64_t b = 0; b < x.dim(batch); ++b) {
    const int64_t length = int_at(call, 1, b);
    if (length < 0 || length > x.dim(time)) {
      return fail_node(error, MDL_ERROR_INVALID_ARGUMENT, call.node, "length ", b, " is ", length,
                       ", should be from 0 to ", x.dim(time));
    }
  }
  Strides strides = dense_strides(x.shape);
  const int64_t along = strides.of[time];
  strides.of[time] = 0;
  const size_t bytes = element_bytes(x);
  uint8_t* y = call.out<uint8_t>(0);
  for (Walk<1> w(x.shape, {strides}); !w.done(); w.next(), y += bytes) {
    const int64_t length = int_at(call, 1, w.index[batch]);
    const int64_t t = w.index[time];
    const int64_t from = w.offset[0] + (t < length ? length - 1 - t : t) * along;
    std::memcpy(y, call.in<uint8_t>(0) + static_cast<size_t>(from) * bytes, bytes);
  }
  return MDL_OK;
}

}  // namespace

// Inputs: x, the sequences' lengths.
extern const Op op_ReverseSequence = {
    .name = "ReverseSequence",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
