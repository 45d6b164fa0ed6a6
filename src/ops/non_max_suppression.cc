// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "src/base/checked.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"max_output_boxes_per_class", MDL_ATTRIBUTE_INT, true},
    {"iou_threshold", MDL_ATTRIBUTE_FLOAT},
    {"score_threshold", MDL_ATTRIBUTE_FLOAT},
    {"center_point_box", MDL_ATTRIBUTE_INT},
};

// Boxes [B, N, 4], scores [B, C, N].
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_FLOAT32, error));
  const mdl_shape& boxes = inputs[0].shape;
  const mdl_shape& scores = inputs[1].shape;
  if (boxes.rank != 3 || boxes.dims[2] != 4 || scores.rank != 3 ||
      boxes.dims[0] != scores.dims[0] || boxes.dims[1] != scores.dims[2]) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "boxes are ", boxes, " and scores ", scores,
                     ", should be [batch,boxes,4] and [batch,classes,boxes]");
  }
  MDL_TRY(check_float(node, "iou_threshold", error));
  MDL_TRY(check_float(node, "score_threshold", error));
  const int64_t most = node.int_or("max_output_boxes_per_class", 0);
  if (most < 1) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "max_output_boxes_per_class is ", most,
                     ", should be at least 1");
  }
  int64_t count = std::min(most, boxes.dims[1]);
  if (!checked_mul(count, scores.dims[0], &count) || !checked_mul(count, scores.dims[1], &count)) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "scores ", scores, " are too many to count");
  }
  return set_output(node, outputs, 0, MDL_INT64, {2, {count, 3}}, error);
}

uint32_t found(const NodeView&, size_t) { return 1u; }

size_t scratch(const NodeView&, std::span<const TensorType> inputs, std::span<const TensorType>) {
  return static_cast<size_t>(inputs[0].dim(1)) * sizeof(int64_t);
}

struct Box {
  float low[2];
  float high[2];

  float area() const { return (high[0] - low[0]) * (high[1] - low[1]); }
};

// Two opposite corners, in any order, or the center and the extents.
Box read_box(const float* b, bool center) {
  Box box;
  for (int d = 0; d < 2; ++d) {
    const float half = b[d + 2] / 2;
    const float p = center ? b[d] - half : b[d];
    const float q = center ? b[d] + half : b[d + 2];
    box.low[d] = std::min(p, q);
    box.high[d] = std::max(p, q);
  }
  return box;
}

// Whether the intersection over the union is above the threshold; boxes without an area have none.
bool overlap(const Box& a, const Box& b, float threshold) {
  float common = 1;
  for (int d = 0; d < 2; ++d) {
    const float low = std::max(a.low[d], b.low[d]);
    const float high = std::min(a.high[d], b.high[d]);
    if (!(low < high)) return false;
    common *= high - low;
  }
  const float all = a.area() + b.area() - common;
  return all > 0 && common / all > threshold;
}

// For each batch and class the boxes with a score above the threshold, the best first and of equal
// ones the first, but for those that overlap one that was taken; each as [batch, class, box].
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const mdl_shape& shape = call.input_types[1].shape;
  const int64_t boxes = shape.dims[2];
  const int64_t most = call.node.int_or("max_output_boxes_per_class", 0);
  const bool center = call.node.int_or("center_point_box", 0) != 0;
  const float iou = float_attribute(call.node, "iou_threshold", 0);
  const float least =
      float_attribute(call.node, "score_threshold", -std::numeric_limits<float>::infinity());
  int64_t* order = static_cast<int64_t*>(call.scratch);
  int64_t* const y = call.out<int64_t>(0);
  int64_t count = 0;
  for (int64_t b = 0; b < shape.dims[0]; ++b) {
    for (int64_t c = 0; c < shape.dims[1]; ++c) {
      const float* score = call.in<float>(1) + (b * shape.dims[1] + c) * boxes;
      const auto box = [&](int64_t i) {
        return read_box(call.in<float>(0) + (b * boxes + i) * 4, center);
      };
      int64_t candidates = 0;
      for (int64_t i = 0; i < boxes; ++i) {
        if (score[i] > least) order[candidates++] = i;
      }
      std::sort(order, order + candidates, [&](int64_t p, int64_t q) {
        return score[p] != score[q] ? score[p] > score[q] : p < q;
      });
      const int64_t begin = count;
      for (int64_t k = 0; k < candidates && count - begin < most; ++k) {
        bool taken = true;
        for (int64_t n = begin; taken && n < count; ++n) {
          taken = !overlap(box(order[k]), box(y[n * 3 + 2]), iou);
        }
        if (!taken) continue;
        y[count * 3] = b;
        y[count * 3 + 1] = c;
        y[count * 3 + 2] = order[k];
        ++count;
      }
    }
  }
  call.found[0].dims[0] = count;
  return MDL_OK;
}

}  // namespace

extern const Op op_NonMaxSuppression = {
    .name = "NonMaxSuppression",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .scratch = scratch,
    .found = found,
};

}  // namespace medulla
