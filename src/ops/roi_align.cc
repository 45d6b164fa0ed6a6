// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <cstring>

#include "src/ops/greatest.h"
#include "src/ops/indices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"output_height", MDL_ATTRIBUTE_INT},  {"output_width", MDL_ATTRIBUTE_INT},
    {"sampling_ratio", MDL_ATTRIBUTE_INT}, {"spatial_scale", MDL_ATTRIBUTE_FLOAT},
    {"mode", MDL_ATTRIBUTE_STRING},        {"half_pixel", MDL_ATTRIBUTE_INT}};

// More samples to a side of one bin than this are a mistake.
constexpr int64_t kMostSamples = 1 << 12;

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& rois = inputs[1].shape;
  const mdl_shape& images = inputs[2].shape;
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_FLOAT32, error));
  MDL_TRY(check_indices(node, inputs, 2, error));
  if (x.rank != 4 || rois.rank != 2 || rois.dims[1] != 4 || images.rank != 1 ||
      images.dims[0] != rois.dims[0]) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", x, ", ", rois, " and ", images,
                     ", should be [N, H, W, C], [R, 4] and [R]");
  }
  const char* mode = node.string_or("mode", "avg");
  if (std::strcmp(mode, "avg") != 0 && std::strcmp(mode, "max") != 0) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "mode is '", mode,
                     "', should be 'avg' or 'max'");
  }
  const int64_t ratio = node.int_or("sampling_ratio", 0);
  const int64_t height = node.int_or("output_height", 1);
  const int64_t width = node.int_or("output_width", 1);
  const bool fits = height >= 1 && width >= 1 && height <= INT32_MAX && width <= INT32_MAX &&
                    ratio >= 0 && ratio <= kMostSamples;
  if (!fits || x.dims[1] < 1 || x.dims[2] < 1 || x.dims[1] > INT32_MAX || x.dims[2] > INT32_MAX) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", the output ", height,
                     " by ", width, " and sampling_ratio ", ratio,
                     "; should have pixels and a ratio from 0 to ", kMostSamples);
  }
  const mdl_shape y = {4, {rois.dims[0], height, width, x.dims[3]}};
  return set_output(node, outputs, 0, MDL_FLOAT32, y, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  return check_float(node, "spatial_scale", error);
}

// One side of a region: where its bins begin, how large they are, how many samples each has.
struct Side {
  float begin;
  float bin;
  int64_t samples;

  float at(int64_t index, int64_t sample) const {
    return begin + static_cast<float>(index) * bin +
           (static_cast<float>(sample) + 0.5f) * bin / static_cast<float>(samples);
  }
};

Side side_of(const NodeView& node, float low, float high, int64_t bins) {
  const float scale = float_attribute(node, "spatial_scale", 1);
  const bool half = node.int_or("half_pixel", 1) != 0;
  const float begin = half ? low * scale - 0.5f : low * scale;
  float size = (half ? high * scale - 0.5f : high * scale) - begin;
  // Without half_pixel a region has at least one pixel.
  if (!half && size < 1) size = 1;
  Side side = {begin, size / static_cast<float>(bins), node.int_or("sampling_ratio", 0)};
  if (side.samples == 0) {
    const float wanted = std::ceil(side.bin);
    side.samples = wanted >= 1 && wanted <= static_cast<float>(kMostSamples)
                       ? static_cast<int64_t>(wanted)
                   : wanted > 1 ? kMostSamples
                                : 1;
  }
  return side;
}

// The two pixels around a sample and the second one's weight; none more than a pixel outside.
struct Tap {
  bool inside;
  int64_t low, high;
  float fraction;
};

Tap tap_of(float at, int64_t size) {
  if (!(at >= -1 && at <= static_cast<float>(size))) return {false, 0, 0, 0};
  const float v = at > 0 ? at : 0;
  const auto low = static_cast<int64_t>(v);
  if (low >= size - 1) return {true, size - 1, size - 1, 0};
  return {true, low, low + 1, v - static_cast<float>(low)};
}

// For each bin of a region, samples * samples points in order of rows; a point's four products
// fl(fl(weight of its row * weight of its column) * x), (low, low), (low, high), (high, low),
// (high, high). avg: fl(S / count), S the chain of the points' sums fl(fl(fl(a + b) + c) + d) from
// +0; max: the greatest of all products. A point outside gives 0.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const NodeView& node = call.node;
  const mdl_shape& shape = call.input_types[0].shape;
  const mdl_shape& out = call.output_types[0].shape;
  const bool max = std::strcmp(node.string_or("mode", "avg"), "max") == 0;
  const int64_t channels = shape.dims[3];
  if (call.output_types[0].elements() == 0) return MDL_OK;
  float* y = call.out<float>(0);
  for (int64_t r = 0; r < out.dims[0]; ++r) {
    int64_t image;
    MDL_TRY(read_index(call, 2, r, shape.dims[0], &image, error));
    const float* roi = call.in<float>(1) + 4 * r;
    const float* x = call.in<float>(0) + image * extent(shape, 1, 4);
    const Side rows = side_of(node, roi[1], roi[3], out.dims[1]);
    const Side columns = side_of(node, roi[0], roi[2], out.dims[2]);
    for (int64_t bin = 0; bin < out.dims[1] * out.dims[2]; ++bin) {
      for (int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        Greatest<float> greatest;
        for (int64_t s = 0; s < rows.samples * columns.samples; ++s) {
          const Tap v = tap_of(rows.at(bin / out.dims[2], s / columns.samples), shape.dims[1]);
          const Tap h = tap_of(columns.at(bin % out.dims[2], s % columns.samples), shape.dims[2]);
          const auto term = [&](int64_t row, int64_t column, float weight) {
            if (!v.inside || !h.inside) return 0.0f;
            return weight * x[(row * shape.dims[2] + column) * channels + c];
          };
          const float terms[] = {term(v.low, h.low, (1 - v.fraction) * (1 - h.fraction)),
                                 term(v.low, h.high, (1 - v.fraction) * h.fraction),
                                 term(v.high, h.low, v.fraction * (1 - h.fraction)),
                                 term(v.high, h.high, v.fraction * h.fraction)};
          for (const float t : terms) greatest.add(t);
          sum = sum + (terms[0] + terms[1] + terms[2] + terms[3]);
        }
        const float count = static_cast<float>(rows.samples * columns.samples);
        *y++ = max ? greatest.value() : sum / count;
      }
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs: x, the regions [x1, y1, x2, y2], the image of each.
extern const Op op_RoiAlign = {
    .name = "RoiAlign",
    .min_inputs = 3,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
