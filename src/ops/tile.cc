// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/base/checked.h"
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"repeats", MDL_ATTRIBUTE_INTS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  mdl_shape shape = inputs[0].shape;
  const std::span<const int64_t> repeats = node.ints("repeats");
  if (repeats.size() != shape.rank) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "repeats has ", repeats.size(),
                     " entries, should have ", shape.rank);
  }
  for (uint32_t d = 0; d < shape.rank; ++d) {
    if (repeats[d] < 0 || !checked_mul(shape.dims[d], repeats[d], &shape.dims[d])) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "repeats[", d, "] is ", repeats[d],
                       ", should not be negative, nor too large for a size of ", inputs[0].dim(d));
    }
  }
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// y[i...] = x[i mod the input's dimension...].
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const Strides strides = dense_strides(x.shape);
  const size_t bytes = element_bytes(x);
  uint8_t* y = call.out<uint8_t>(0);
  for (Walk<1> w(call.output_types[0].shape, {Strides{}}); !w.done(); w.next(), y += bytes) {
    int64_t from = 0;
    for (uint32_t d = 0; d < x.rank(); ++d) from += w.index[d] % x.dim(d) * strides.of[d];
    std::memcpy(y, call.in<uint8_t>(0) + static_cast<size_t>(from) * bytes, bytes);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Tile = {
    .name = "Tile",
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
