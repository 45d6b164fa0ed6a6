// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"spatial", MDL_ATTRIBUTE_INTS, true}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_INT64, error));
  mdl_shape shape = inputs[0].shape;
  const mdl_shape& indices = inputs[1].shape;
  const std::span<const int64_t> spatial = node.ints("spatial");
  if (shape.rank < 3 || spatial.size() != shape.rank - 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", shape, " and spatial has ",
                     spatial.size(), " entries; should be [N, spatial..., C]");
  }
  if (indices.rank != shape.rank ||
      std::memcmp(indices.dims, shape.dims, shape.rank * sizeof(int64_t)) != 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 1 is ", indices, ", should be ", shape);
  }
  for (uint32_t d = 0; d + 2 < shape.rank; ++d) shape.dims[1 + d] = spatial[d];
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// y is zero but where an index says; the last one wins. Indices are MaxPool's: into y flattened
// with its channels first.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& y = call.output_types[0];
  const int64_t total = y.elements();
  const size_t bytes = element_bytes(y);
  if (total > 0) std::memset(call.outputs[0], 0, static_cast<size_t>(total) * bytes);
  const int64_t channels = y.dim(y.rank() - 1);
  const int64_t pixels = extent(y.shape, 1, y.rank() - 1);
  const int64_t count = call.input_types[0].elements();
  for (int64_t i = 0; i < count; ++i) {
    int64_t index;
    MDL_TRY(read_index(call, 1, i, total, &index, error));
    const int64_t n = index / pixels / channels;
    const int64_t c = index / pixels % channels;
    const auto at = static_cast<size_t>((n * pixels + index % pixels) * channels + c);
    std::memcpy(call.out<uint8_t>(0) + at * bytes,
                call.in<uint8_t>(0) + static_cast<size_t>(i) * bytes, bytes);
  }
  return MDL_OK;
}

}  // namespace

// Inputs: x, indices.
extern const Op op_MaxUnpool = {
    .name = "MaxUnpool",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
