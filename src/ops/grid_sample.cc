// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>

#include "src/ops/rules.h"
#include "src/ops/walk.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"mode", MDL_ATTRIBUTE_STRING},
                                         {"padding_mode", MDL_ATTRIBUTE_STRING},
                                         {"align_corners", MDL_ATTRIBUTE_INT}};
// All indices are floats.
constexpr int64_t kMostPixels = 1 << 24;

enum class Mode { kLinear, kNearest, kCubic };
enum class Padding { kZeros, kBorder, kReflection };

mdl_status read_choice(const NodeView& node, const char* name, const char* const (&choices)[3],
                       int* choice, mdl_error* error) {
  const char* value = node.string_or(name, choices[0]);
  for (*choice = 0; *choice < 3; ++*choice) {
    if (std::strcmp(value, choices[*choice]) == 0) return MDL_OK;
  }
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, " is '", value, "', should be '",
                   choices[0], "', '", choices[1], "' or '", choices[2], "'");
}

struct Sampling {
  Mode mode;
  Padding padding;
  bool aligned;
  uint32_t spatial;
};

mdl_status read_sampling(const NodeView& node, const mdl_shape& x, Sampling* sampling,
                         mdl_error* error) {
  int mode, padding;
  MDL_TRY(read_choice(node, "mode", {"linear", "nearest", "cubic"}, &mode, error));
  MDL_TRY(read_choice(node, "padding_mode", {"zeros", "border", "reflection"}, &padding, error));
  *sampling = {static_cast<Mode>(mode), static_cast<Padding>(padding),
               node.int_or("align_corners", 0) != 0, x.rank - 2};
  return MDL_OK;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_FLOAT32, error));
  const mdl_shape& x = inputs[0].shape;
  const mdl_shape& grid = inputs[1].shape;
  if (x.rank < 3 || x.rank > 5 || grid.rank != x.rank || grid.dims[0] != x.dims[0] ||
      grid.dims[x.rank - 1] != x.rank - 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, " and the grid ", grid,
                     ", should be [N, spatial..., C] with 1 to 3 spatial dimensions and [N, "
                     "spatial..., their number]");
  }
  for (uint32_t d = 1; d + 1 < x.rank; ++d) {
    if (x.dims[d] >= 1 && x.dims[d] <= kMostPixels) continue;
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x,
                     ", should have spatial extents from 1 to ", kMostPixels);
  }
  Sampling sampling;
  MDL_TRY(read_sampling(node, x, &sampling, error));
  mdl_shape y = grid;
  y.dims[y.rank - 1] = x.dims[x.rank - 1];
  return set_output(node, outputs, 0, MDL_FLOAT32, y, error);
}

// Mirrors at low and high until it lies between them.
float reflect(float v, float low, float high) {
  const float range = high - low;
  if (range <= 0) return low;
  const float distance = std::fabs(v - low);
  const float flips = std::floor(distance / range);
  const float rest = distance - flips * range;
  const bool odd = std::floor(flips / 2) * 2 != flips;
  return odd ? high - rest : low + rest;
}

// Into the tensor as the padding says; out of reach for zeros, and for what is no number.
int64_t held(const Sampling& s, float v, int64_t size) {
  const float last = static_cast<float>(size - 1);
  if (s.padding == Padding::kReflection) {
    v = s.aligned ? reflect(v, 0, last) : reflect(v, -0.5f, last + 0.5f);
  }
  if (s.padding != Padding::kZeros) v = v < 0 ? 0.0f : v > last ? last : v;
  return v >= 0 && v <= last ? static_cast<int64_t>(v) : -1;
}

// The indices along one dimension and their weights; an index of -1 reads 0.
struct Taps {
  int count = 0;
  int64_t index[4];
  float weight[4];
};

float cubic_near(float t) { return (1.25f * t - 2.25f) * t * t + 1; }
float cubic_far(float t) { return ((-0.75f * t + 3.75f) * t - 6) * t + 3; }

Taps taps_of(const Sampling& s, float at, int64_t size) {
  const auto n = static_cast<float>(size);
  float v = s.aligned ? (at + 1) / 2 * (n - 1) : ((at + 1) * n - 1) / 2;
  if (s.padding == Padding::kBorder && s.mode != Mode::kCubic) {
    v = v < 0 ? 0.0f : v > n - 1 ? n - 1 : v;
  }
  if (s.padding == Padding::kReflection && s.mode != Mode::kCubic) {
    v = s.aligned ? reflect(v, 0, n - 1) : reflect(v, -0.5f, n - 0.5f);
  }
  Taps taps;
  const auto add = [&](float index, float weight) {
    taps.index[taps.count] = held(s, index, size);
    taps.weight[taps.count++] = weight;
  };
  if (s.mode == Mode::kNearest) {
    // Ties to even.
    const float low = std::floor(v);
    const float fraction = v - low;
    const bool even = std::floor(low / 2) * 2 == low;
    add(fraction > 0.5f || (fraction == 0.5f && !even) ? low + 1 : low, 1);
    return taps;
  }
  const float low = std::floor(v);
  const float t = v - low;
  if (s.mode == Mode::kLinear) {
    add(low, 1 - t);
    add(low + 1, t);
    return taps;
  }
  add(low - 1, cubic_far(t + 1));
  add(low, cubic_near(t));
  add(low + 1, cubic_near(1 - t));
  add(low + 2, cubic_far(2 - t));
  return taps;
}

// The value at dimension d and those behind it: from +0, fl(sum + fl(value * weight)) for each tap.
float sample(const Taps* taps, const Strides& strides, uint32_t d, uint32_t rank, const float* x) {
  if (d + 1 == rank) return *x;
  float sum = 0;
  for (int k = 0; k < taps[d].count; ++k) {
    if (taps[d].index[k] < 0) continue;
    const float* from = x + taps[d].index[k] * strides.of[d];
    sum = sum + sample(taps, strides, d + 1, rank, from) * taps[d].weight[k];
  }
  return sum;
}

// The grid's last dimension says where to look, the last spatial dimension first, -1 to 1 from one
// end to the other: of the pixels, or of their centers with align_corners. All in binary32 as
// written above.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  Sampling sampling;
  MDL_TRY(read_sampling(call.node, shape, &sampling, error));
  const uint32_t spatial = sampling.spatial;
  const int64_t channels = shape.dims[shape.rank - 1];
  const mdl_shape& grid_shape = call.input_types[1].shape;
  const int64_t points = extent(grid_shape, 1, grid_shape.rank - 1);
  const Strides strides = dense_strides(shape);
  const float* grid = call.in<float>(1);
  float* y = call.out<float>(0);
  if (call.output_types[0].elements() == 0) return MDL_OK;
  for (int64_t n = 0; n < shape.dims[0]; ++n) {
    const float* x = call.in<float>(0) + n * strides.of[0];
    for (int64_t p = 0; p < points; ++p, grid += spatial) {
      Taps taps[4];
      for (uint32_t d = 1; d <= spatial; ++d) {
        taps[d] = taps_of(sampling, grid[spatial - d], shape.dims[d]);
      }
      for (int64_t c = 0; c < channels; ++c) {
        *y++ = sample(taps, strides, 1, shape.rank, x + c);
      }
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs: x, the grid.
extern const Op op_GridSample = {
    .name = "GridSample",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla
