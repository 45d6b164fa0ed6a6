// SPDX-License-Identifier: Apache-2.0
#include "src/ops/resize.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "src/ops/rules.h"
#include "src/ops/walk.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"scales", MDL_ATTRIBUTE_FLOATS},
    {"sizes", MDL_ATTRIBUTE_INTS},
    {"mode", MDL_ATTRIBUTE_STRING},
    {"coordinate_transformation_mode", MDL_ATTRIBUTE_STRING},
    {"nearest_mode", MDL_ATTRIBUTE_STRING},
};
// In the order of the enumerations.
constexpr const char* kModes[] = {"nearest", "linear"};
constexpr const char* kCoordinates[] = {"half_pixel",           "pytorch_half_pixel",
                                        "half_pixel_symmetric", "align_corners",
                                        "asymmetric",           "tf_half_pixel_for_nn"};
constexpr const char* kNearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max();

mdl_status read_choice(const NodeView& node, const char* name, std::span<const char* const> choices,
                       size_t* choice, mdl_error* error) {
  const char* value = node.string_or(name, choices[0]);
  for (*choice = 0; *choice < choices.size(); ++*choice) {
    if (std::strcmp(value, choices[*choice]) == 0) return MDL_OK;
  }
  return fail_node(error, MDL_ERROR_UNSUPPORTED, node, name, " is '", value,
                   "', which is not known");
}

mdl_status read_extents(const NodeView& node, Resize* resize, mdl_error* error) {
  const mdl_shape& x = resize->input;
  const std::span<const double> scales = node.floats("scales");
  const std::span<const int64_t> sizes = node.ints("sizes");
  if (scales.empty() == sizes.empty() || scales.size() + sizes.size() != x.rank) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "has ", scales.size(), " scales and ",
                     sizes.size(), " sizes, should have ", x.rank, " of one of them");
  }
  for (uint32_t d = 0; d < x.rank; ++d) {
    const double in = static_cast<double>(x.dims[d]);
    int64_t out;
    if (!sizes.empty()) {
      out = sizes[d];
      resize->scales[d] = static_cast<double>(out) / in;
      resize->extents[d] = static_cast<double>(out);
    } else {
      // As ONNX computes it, in binary32.
      const float product = static_cast<float>(in) * static_cast<float>(scales[d]);
      out = product >= 0 && product <= static_cast<float>(kMaxExtent / 2)
                ? static_cast<int64_t>(product)
                : -1;
      resize->scales[d] = scales[d];
      resize->extents[d] = in * scales[d];
    }
    if (out < 0 || out > kMaxExtent || x.dims[d] > kMaxExtent || (x.dims[d] == 0 && out > 0) ||
        (!scales.empty() && !(scales[d] > 0))) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "dimension ", d, " of ", x,
                       " would be resized to ", out, " with the scale ", resize->scales[d],
                       ", should be to between 0 and ", kMaxExtent, " from something");
    }
    resize->output.dims[d] = out;
  }
  return MDL_OK;
}

int64_t floor_of(double v) {
  const int64_t cut = static_cast<int64_t>(v);
  return static_cast<double>(cut) > v ? cut - 1 : cut;
}
int64_t ceil_of(double v) { return -floor_of(-v); }

// Where an output index lies in the input.
double coordinate(const Resize& resize, uint32_t d, int64_t index) {
  const double in = static_cast<double>(resize.input.dims[d]);
  const double out = static_cast<double>(resize.output.dims[d]);
  const double uncut = resize.extents[d];
  const double scale = resize.scales[d];
  const double i = static_cast<double>(index);
  switch (resize.coordinates) {
    case Resize::Coordinates::half_pixel:
      return (i + 0.5) / scale - 0.5;
    case Resize::Coordinates::pytorch_half_pixel:
      return out > 1 ? (i + 0.5) / scale - 0.5 : 0.0;
    case Resize::Coordinates::half_pixel_symmetric:
      // The output's extent was cut to an integer: both pictures keep their centers.
      return in / 2 * (1 - out / uncut) + (i + 0.5) / scale - 0.5;
    case Resize::Coordinates::align_corners:
      return out > 1 ? i * (in - 1) / (uncut - 1) : 0.0;
    case Resize::Coordinates::asymmetric:
      return i / scale;
    default:
      return (i + 0.5) / scale;
  }
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  Resize resize;
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(read_resize(node, inputs[0].shape, &resize, error));
  if (resize.linear) MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  return set_output(node, outputs, 0, inputs[0].dtype, resize.output, error);
}

// Where output index i of dimension d has its tap: first[d] + i.
struct Taps {
  const ResizeTap* first[MDL_MAX_RANK] = {};

  Taps(const Resize& resize, void* scratch) {
    ResizeTap* tap = static_cast<ResizeTap*>(scratch);
    for (uint32_t d = 0; d < resize.output.rank; ++d) {
      first[d] = tap;
      for (int64_t i = 0; i < resize.output.dims[d]; ++i) *tap++ = resize.tap(d, i);
    }
  }
};

// The value at output[index...] from dimension d on; the last resized dimension comes first.
float interpolate(const Resize& resize, const Taps& taps, const Strides& strides,
                  const int64_t* index, uint32_t d, const float* x) {
  if (d == resize.output.rank) return *x;
  const ResizeTap& tap = taps.first[d][index[d]];
  const auto value = [&](int64_t i) {
    return interpolate(resize, taps, strides, index, d + 1, x + i * strides.of[d]);
  };
  if (!resize.changes(d)) return value(index[d]);
  return value(tap.low) * tap.low_weight + value(tap.high) * tap.high_weight;
}

// Linear: dimension by dimension, the last one first, by fl(fl(a * low_weight) + fl(b *
// high_weight)). Nearest copies.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& type = call.input_types[0];
  Resize resize;
  MDL_TRY(read_resize(call.node, type.shape, &resize, error));
  const Taps taps(resize, call.scratch);
  const Strides strides = dense_strides(type.shape);
  const size_t bytes = element_bytes(type);
  uint8_t* y = call.out<uint8_t>(0);
  for (Walk<1> w(resize.output, {Strides{}}); !w.done(); w.next(), y += bytes) {
    if (resize.linear) {
      const float value = interpolate(resize, taps, strides, w.index, 0, call.in<float>(0));
      std::memcpy(y, &value, bytes);
      continue;
    }
    int64_t from = 0;
    for (uint32_t d = 0; d < resize.output.rank; ++d) {
      from += taps.first[d][w.index[d]].low * strides.of[d];
    }
    std::memcpy(y, call.in<uint8_t>(0) + static_cast<size_t>(from) * bytes, bytes);
  }
  return MDL_OK;
}

size_t scratch(const NodeView&, std::span<const TensorType>, std::span<const TensorType> outputs) {
  const mdl_shape& y = outputs[0].shape;
  size_t taps = 0;
  for (uint32_t d = 0; d < y.rank; ++d) taps += static_cast<size_t>(y.dims[d]);
  return taps * sizeof(ResizeTap);
}

}  // namespace

mdl_status read_resize(const NodeView& node, const mdl_shape& x, Resize* resize, mdl_error* error) {
  resize->input = x;
  resize->output = x;
  size_t mode, coordinates, nearest;
  MDL_TRY(read_choice(node, "mode", kModes, &mode, error));
  MDL_TRY(read_choice(node, "coordinate_transformation_mode", kCoordinates, &coordinates, error));
  MDL_TRY(read_choice(node, "nearest_mode", kNearest, &nearest, error));
  resize->linear = mode == 1;
  resize->coordinates = static_cast<Resize::Coordinates>(coordinates);
  resize->nearest = static_cast<Resize::Nearest>(nearest);
  return read_extents(node, resize, error);
}

ResizeTap Resize::tap(uint32_t d, int64_t index) const {
  if (!changes(d)) return {index, index, 1.0f, 0.0f};
  const int64_t last = input.dims[d] - 1;
  const double at = coordinate(*this, d, index);
  if (linear) {
    const double inside = std::clamp(at, 0.0, static_cast<double>(last));
    const int64_t low = floor_of(inside);
    const double fraction = inside - static_cast<double>(low);
    return {low, std::min(low + 1, last), static_cast<float>(1 - fraction),
            static_cast<float>(fraction)};
  }
  int64_t i;
  switch (nearest) {
    case Nearest::round_prefer_floor:
      i = ceil_of(at - 0.5);
      break;
    case Nearest::round_prefer_ceil:
      i = floor_of(at + 0.5);
      break;
    case Nearest::floor:
      i = floor_of(at);
      break;
    default:
      i = ceil_of(at);
  }
  i = std::clamp(i, int64_t{0}, last);
  return {i, i, 1.0f, 0.0f};
}

extern const Op op_Resize = {
    .name = "Resize",
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
    .scratch = scratch,
};

}  // namespace medulla
