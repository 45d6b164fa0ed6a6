// SPDX-License-Identifier: Apache-2.0
#include "src/ops/resize.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "src/base/checked.h"
#include "src/ops/number.h"
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
    {"cubic_coeff_a", MDL_ATTRIBUTE_FLOAT},
    {"exclude_outside", MDL_ATTRIBUTE_INT},
    {"antialias", MDL_ATTRIBUTE_INT},
    {"roi", MDL_ATTRIBUTE_FLOATS},
    {"extrapolation_value", MDL_ATTRIBUTE_FLOAT},
};
// In the order of the enumerations.
constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
constexpr const char* kCoordinates[] = {
    "half_pixel", "pytorch_half_pixel",   "half_pixel_symmetric", "align_corners",
    "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
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

// Sizes decide the extents, where -1 keeps one, or else scales do; where an index lies is decided
// by the scales, or else by both extents.
mdl_status read_extents(const NodeView& node, Resize* resize, mdl_error* error) {
  const mdl_shape& x = resize->input;
  const std::span<const double> scales = node.floats("scales");
  const std::span<const int64_t> sizes = node.ints("sizes");
  const auto wrong = [&](size_t count) { return count != 0 && count != x.rank; };
  if (wrong(scales.size()) || wrong(sizes.size()) || scales.size() + sizes.size() < x.rank) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "has ", scales.size(), " scales and ",
                     sizes.size(), " sizes, should have ", x.rank, " of one of them, or of both");
  }
  for (uint32_t d = 0; d < x.rank; ++d) {
    const double in = static_cast<double>(x.dims[d]);
    bool fits = x.dims[d] <= kMaxExtent;
    int64_t out = -1;
    if (!scales.empty()) {
      // As ONNX computes it, in binary32.
      const float product = static_cast<float>(in) * static_cast<float>(scales[d]);
      fits = fits && scales[d] > 0;
      if (product >= 0 && product <= static_cast<float>(kMaxExtent / 2)) {
        out = static_cast<int64_t>(product);
      }
      resize->scales[d] = scales[d];
    }
    if (!sizes.empty()) {
      out = sizes[d] == -1 ? x.dims[d] : sizes[d];
      // Rounded, whichever way.
      const double off = static_cast<double>(out) - in * resize->scales[d];
      if (scales.empty()) {
        resize->scales[d] = static_cast<double>(out) / in;
      } else {
        fits = fits && off < 0.75 && off > -0.75;
      }
    }
    if (!fits || out < 0 || out > kMaxExtent || (x.dims[d] == 0 && out > 0)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "dimension ", d, " of ", x,
                       " would be resized to ", out, " with the scale ", resize->scales[d],
                       ", should be to between 0 and ", kMaxExtent, " from something");
    }
    resize->output.dims[d] = out;
    resize->extents[d] = scales.empty() ? static_cast<double>(out) : in * scales[d];
  }
  return MDL_OK;
}

mdl_status read_region(const NodeView& node, Resize* resize, mdl_error* error) {
  const uint32_t rank = resize->input.rank;
  const std::span<const double> roi = node.floats("roi");
  const bool cropped = resize->coordinates == Resize::Coordinates::tf_crop_and_resize;
  bool fits = cropped ? roi.size() == 2 * rank : roi.empty();
  // So that indices of 32 bits stay far from overflow.
  for (const double v : roi) fits = fits && v >= -1e6 && v <= 1e6;
  if (!fits) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "roi has ", roi.size(),
                     " entries, should have ", cropped ? 2 * rank : 0,
                     " from -1e6 to 1e6: each begin, each end");
  }
  for (uint32_t d = 0; d < rank; ++d) {
    resize->begins[d] = cropped ? roi[d] : 0;
    resize->ends[d] = cropped ? roi[rank + d] : 1;
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
      // The output's extent was made an integer: both pictures keep their centers.
      return in / 2 * (1 - out / uncut) + (i + 0.5) / scale - 0.5;
    case Resize::Coordinates::align_corners:
      return out > 1 ? i * (in - 1) / (uncut - 1) : 0.0;
    case Resize::Coordinates::asymmetric:
      return i / scale;
    case Resize::Coordinates::tf_crop_and_resize: {
      const double begin = resize.begins[d] * (in - 1);
      const double end = resize.ends[d] * (in - 1);
      return out > 1 ? begin + i * (end - begin) / (uncut - 1) : (begin + end) / 2;
    }
    default:
      return (i + 0.5) / scale;
  }
}

// Keys' cubic function, or the hat of linear interpolation, at a distance.
double kernel(const Resize& resize, double t) {
  t = t < 0 ? -t : t;
  const double a = resize.cubic_a;
  if (resize.mode == Resize::Mode::linear) return t < 1 ? 1 - t : 0;
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  Resize resize;
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(read_resize(node, inputs[0].shape, &resize, error));
  if (resize.mode != Resize::Mode::nearest)
    MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  return set_output(node, outputs, 0, inputs[0].dtype, resize.output, error);
}

// The taps of dimension d, and behind them their weights.
size_t tap_bytes(const Resize& resize, uint32_t d) {
  const int64_t count = resize.output.dims[d];
  if (count == 0) return 0;
  const auto weights = static_cast<size_t>(count * resize.width(d));
  return static_cast<size_t>(count) * sizeof(ResizeTap) + align_up(weights * sizeof(float), 8);
}

// Linear and cubic: dimension by dimension, the last one first, fl(x[first] * weight[0]), then
// fl(it
// + fl(x[first + k] * weight[k])), k ascending. Nearest copies. Where a tap lies outside: the
// extrapolation value.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& type = call.input_types[0];
  Resize resize;
  MDL_TRY(read_resize(call.node, type.shape, &resize, error));
  const ResizeTaps taps(resize, call.scratch);
  const size_t bytes = element_bytes(type);
  uint8_t* y = call.out<uint8_t>(0);
  for (Walk<1> w(resize.output, {Strides{}}); !w.done(); w.next(), y += bytes) {
    int64_t from = 0;
    bool outside = false;
    for (uint32_t d = 0; d < resize.output.rank; ++d) {
      const ResizeTap& tap = taps.taps[d][w.index[d]];
      outside = outside || tap.outside;
      from += tap.first * taps.strides.of[d];
    }
    if (outside) {
      store_number(type.dtype, y, 0, static_cast<double>(resize.extrapolation));
    } else if (resize.mode != Resize::Mode::nearest) {
      const float value =
          interpolate(taps, w.index, [&](int64_t i) { return call.in<float>(0)[i]; });
      std::memcpy(y, &value, bytes);
    } else {
      std::memcpy(y, call.in<uint8_t>(0) + static_cast<size_t>(from) * bytes, bytes);
    }
  }
  return MDL_OK;
}

size_t scratch(const NodeView& node, std::span<const TensorType> inputs,
               std::span<const TensorType>) {
  Resize resize;
  if (read_resize(node, inputs[0].shape, &resize, nullptr) != MDL_OK) return 0;
  return ResizeTaps::bytes(resize);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_float(node, "extrapolation_value", error));
  return check_quantization_kept(node, error);
}

}  // namespace

size_t ResizeTaps::bytes(const Resize& resize) {
  size_t bytes = 0;
  for (uint32_t d = 0; d < resize.output.rank; ++d) bytes += tap_bytes(resize, d);
  return bytes;
}

ResizeTaps::ResizeTaps(const Resize& of, void* memory)
    : resize(of), strides(dense_strides(of.input)) {
  auto* place = static_cast<uint8_t*>(memory);
  for (uint32_t d = 0; d < resize.output.rank; ++d) {
    const int64_t count = resize.output.dims[d];
    if (count == 0) continue;
    width[d] = resize.width(d);
    auto* tap = reinterpret_cast<ResizeTap*>(place);
    auto* weight = reinterpret_cast<float*>(tap + count);
    taps[d] = tap;
    weights[d] = weight;
    for (int64_t i = 0; i < count; ++i) tap[i] = resize.tap(d, i, weight + i * width[d]);
    place += tap_bytes(resize, d);
  }
}

mdl_status read_resize(const NodeView& node, const mdl_shape& x, Resize* resize, mdl_error* error) {
  resize->input = x;
  resize->output = x;
  size_t mode, coordinates, nearest;
  MDL_TRY(read_choice(node, "mode", kModes, &mode, error));
  MDL_TRY(read_choice(node, "coordinate_transformation_mode", kCoordinates, &coordinates, error));
  MDL_TRY(read_choice(node, "nearest_mode", kNearest, &nearest, error));
  resize->mode = static_cast<Resize::Mode>(mode);
  resize->coordinates = static_cast<Resize::Coordinates>(coordinates);
  resize->nearest = static_cast<Resize::Nearest>(nearest);
  resize->antialias = node.int_or("antialias", 0) != 0;
  resize->exclude_outside = node.int_or("exclude_outside", 0) != 0;
  resize->cubic_a = node.float_or("cubic_coeff_a", -0.75);
  resize->extrapolation = float_attribute(node, "extrapolation_value", 0);
  if (!(resize->cubic_a >= -16 && resize->cubic_a <= 16)) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "cubic_coeff_a is ", resize->cubic_a,
                     ", should be from -16 to 16");
  }
  MDL_TRY(read_region(node, resize, error));
  return read_extents(node, resize, error);
}

int64_t Resize::width(uint32_t d) const {
  if (mode == Mode::nearest || !changes(d)) return 1;
  const int64_t reach = mode == Mode::linear ? 1 : 2;
  if (!antialias || scales[d] >= 1) return 2 * reach;
  return 2 * ceil_of(static_cast<double>(reach) / scales[d]);
}

ResizeTap Resize::tap(uint32_t d, int64_t index, float* weights) const {
  weights[0] = 1;
  if (!changes(d)) return {index, false};
  const int64_t last = input.dims[d] - 1;
  const double end = static_cast<double>(last);
  double at = coordinate(*this, d, index);
  if (coordinates == Coordinates::tf_crop_and_resize && !(at >= 0 && at <= end)) return {0, true};
  if (mode == Mode::nearest) {
    const bool up = nearest == Nearest::ceil || nearest == Nearest::round_prefer_floor;
    const bool rounds = nearest != Nearest::ceil && nearest != Nearest::floor;
    const int64_t i = up ? ceil_of(rounds ? at - 0.5 : at) : floor_of(rounds ? at + 0.5 : at);
    return {std::clamp(i, int64_t{0}, last), false};
  }
  if (mode == Mode::linear && !antialias) at = std::clamp(at, 0.0, end);
  // Read around `low`, at distances that shrink with a picture that is made smaller.
  const int64_t low = floor_of(at);
  const double fraction = at - static_cast<double>(low);
  const int64_t count = width(d);
  const int64_t first = low - count / 2 + 1;
  if (mode == Mode::linear && !antialias) {
    weights[0] = static_cast<float>(1 - fraction);
    weights[1] = static_cast<float>(fraction);
    return {first, false};
  }
  const double shrink = antialias && scales[d] < 1 ? scales[d] : 1;
  const auto weight = [&](int64_t k) {
    const int64_t i = first + k;
    if (exclude_outside && (i < 0 || i > last)) return 0.0;
    return kernel(*this, (static_cast<double>(i - low) - fraction) * shrink);
  };
  double sum = 0;
  for (int64_t k = 0; k < count; ++k) sum += weight(k);
  const bool normal = antialias || exclude_outside;
  for (int64_t k = 0; k < count; ++k) {
    weights[k] = static_cast<float>(normal ? weight(k) / sum : weight(k));
  }
  return {first, false};
}

extern const Op op_Resize = {
    .name = "Resize",
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .scratch = scratch,
};

}  // namespace medulla
