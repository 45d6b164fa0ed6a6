// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"starts", MDL_ATTRIBUTE_INTS, true},
                                         {"ends", MDL_ATTRIBUTE_INTS, true},
                                         {"axes", MDL_ATTRIBUTE_INTS},
                                         {"steps", MDL_ATTRIBUTE_INTS}};

struct Range {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// As ONNX: bounds below zero count from the end and are then clamped to the dimension; walking
// down, the end may be -1, so that element 0 can be the last one.
Range clamp(int64_t start, int64_t end, int64_t step, int64_t size) {
  if (size == 0) return {};
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = std::clamp(start, int64_t{0}, step > 0 ? size : size - 1);
  end = step > 0 ? std::clamp(end, int64_t{0}, size) : std::clamp(end, int64_t{-1}, size - 1);
  const int64_t distance = step > 0 ? end - start : start - end;
  if (distance <= 0) return {};
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  return {start, step, static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride) + 1};
}

mdl_status resolve(const NodeView& node, const mdl_shape& x, Range* ranges, mdl_error* error) {
  const std::span<const int64_t> starts = node.ints("starts");
  const std::span<const int64_t> ends = node.ints("ends");
  const std::span<const int64_t> axes = node.ints("axes");
  const std::span<const int64_t> steps = node.ints("steps");
  if (ends.size() != starts.size() || (!axes.empty() && axes.size() != starts.size()) ||
      (!steps.empty() && steps.size() != starts.size()) || starts.size() > x.rank) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "starts, ends, axes and steps have ",
                     starts.size(), ", ", ends.size(), ", ", axes.size(), " and ", steps.size(),
                     " entries, should have equally many, at most ", x.rank);
  }
  uint32_t mask;
  MDL_TRY(resolve_axes(node, axes, x.rank, &mask, error));
  for (uint32_t d = 0; d < x.rank; ++d) ranges[d] = {0, 1, x.dims[d]};
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t step = steps.empty() ? 1 : steps[i];
    if (step == 0) return fail_node(error, MDL_ERROR_BAD_MODEL, node, "step ", i, " is 0");
    uint32_t d = static_cast<uint32_t>(i);
    if (!axes.empty()) MDL_TRY(resolve_axis(node, axes[i], x.rank, &d, error));
    ranges[d] = clamp(starts[i], ends[i], step, x.dims[d]);
  }
  return MDL_OK;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  mdl_shape shape = inputs[0].shape;
  Range ranges[MDL_MAX_RANK];
  MDL_TRY(resolve(node, shape, ranges, error));
  for (uint32_t d = 0; d < shape.rank; ++d) shape.dims[d] = ranges[d].count;
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  Range ranges[MDL_MAX_RANK];
  MDL_TRY(resolve(call.node, x.shape, ranges, error));
  const Strides dense = dense_strides(x.shape);
  Strides strides;
  int64_t first = 0;
  for (uint32_t d = 0; d < x.rank(); ++d) {
    first += ranges[d].start * dense.of[d];
    // With one element the step leads nowhere, and may be too large to multiply.
    if (ranges[d].count > 1) strides.of[d] = ranges[d].step * dense.of[d];
  }
  const mdl_shape& y = call.output_types[0].shape;
  if (extent(y, 0, y.rank) == 0) return MDL_OK;
  copy_strided(element_bytes(x), y,
               call.in<uint8_t>(0) + static_cast<size_t>(first) * element_bytes(x), strides,
               call.outputs[0]);
  return MDL_OK;
}

}  // namespace

extern const Op op_Slice = {
    .name = "Slice",
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
