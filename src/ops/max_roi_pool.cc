// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "src/ops/greatest.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"pooled_shape", MDL_ATTRIBUTE_INTS, true},
                                         {"spatial_scale", MDL_ATTRIBUTE_FLOAT}};
// Coordinates are floats, and so are products of them.
constexpr int64_t kMostPixels = 1 << 24;

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_FLOAT32, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& rois = inputs[1].shape;
  if (x.rank != 4 || rois.rank != 2 || rois.dims[1] != 5) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", x, " and ", rois,
                     ", should be [N, H, W, C] and [R, 5]");
  }
  const std::span<const int64_t> pooled = node.ints("pooled_shape");
  const auto fits = [](int64_t extent) { return extent >= 1 && extent <= kMostPixels; };
  if (pooled.size() != 2 || !fits(pooled[0]) || !fits(pooled[1]) || x.dims[1] > kMostPixels ||
      x.dims[2] > kMostPixels) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, " and pooled_shape has ",
                     pooled.size(), " entries, should have 2; extents should be 1 to ",
                     kMostPixels);
  }
  const mdl_shape y = {4, {rois.dims[0], pooled[0], pooled[1], x.dims[3]}};
  return set_output(node, outputs, 0, MDL_FLOAT32, y, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  return check_float(node, "spatial_scale", error);
}

// Halves away from zero; what is no number, or far outside, ends at the limits.
int64_t pixel_of(float coordinate, float scale) {
  const float exact = std::fabs(coordinate * scale);
  const float low = std::floor(exact);
  const float at = std::copysign(exact - low >= 0.5f ? low + 1 : low, coordinate * scale);
  constexpr auto kMost = static_cast<float>(kMostPixels);
  return static_cast<int64_t>(at > -kMost ? (at < kMost ? at : kMost) : -kMost);
}

// The pixels [begin, end) of each bin along one side of a region from pixel `low` to pixel `high`.
struct Side {
  int64_t low;
  float bin;
  int64_t size;  // of the image

  Side(int64_t from, int64_t to, int64_t bins, int64_t pixels)
      : low(from),
        bin(static_cast<float>(std::max<int64_t>(to - from + 1, 1)) / static_cast<float>(bins)),
        size(pixels) {}
  int64_t begin(int64_t i) const { return inside(std::floor(static_cast<float>(i) * bin)); }
  int64_t end(int64_t i) const { return inside(std::ceil(static_cast<float>(i + 1) * bin)); }
  int64_t inside(float at) const {
    return std::clamp<int64_t>(static_cast<int64_t>(at) + low, 0, size);
  }
};

// y is the greatest value of each bin; 0 where it has no pixels.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const NodeView& node = call.node;
  const mdl_shape& shape = call.input_types[0].shape;
  const mdl_shape& out = call.output_types[0].shape;
  const float scale = float_attribute(node, "spatial_scale", 1);
  const int64_t channels = shape.dims[3];
  float* y = call.out<float>(0);
  for (int64_t r = 0; r < out.dims[0]; ++r) {
    const float* roi = call.in<float>(1) + 5 * r;
    if (!(roi[0] >= 0 && roi[0] < static_cast<float>(shape.dims[0]))) {
      return fail_node(error, MDL_ERROR_INVALID_ARGUMENT, node, "region ", r, " is of image ",
                       static_cast<double>(roi[0]), ", there are ", shape.dims[0]);
    }
    const auto image = static_cast<int64_t>(roi[0]);
    const float* x = call.in<float>(0) + image * shape.dims[1] * shape.dims[2] * channels;
    const Side rows(pixel_of(roi[2], scale), pixel_of(roi[4], scale), out.dims[1], shape.dims[1]);
    const Side columns(pixel_of(roi[1], scale), pixel_of(roi[3], scale), out.dims[2],
                       shape.dims[2]);
    for (int64_t bin = 0; bin < out.dims[1] * out.dims[2]; ++bin) {
      const int64_t i = bin / out.dims[2];
      const int64_t j = bin % out.dims[2];
      const bool empty = rows.begin(i) >= rows.end(i) || columns.begin(j) >= columns.end(j);
      for (int64_t c = 0; c < channels; ++c) {
        Greatest<float> greatest;
        for (int64_t row = rows.begin(i); row < rows.end(i); ++row) {
          for (int64_t column = columns.begin(j); column < columns.end(j); ++column) {
            greatest.add(x[(row * shape.dims[2] + column) * channels + c]);
          }
        }
        *y++ = empty ? 0.0f : greatest.value();
      }
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs: x, the regions [image, x1, y1, x2, y2], ends included.
extern const Op op_MaxRoiPool = {
    .name = "MaxRoiPool",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
