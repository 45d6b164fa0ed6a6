// SPDX-License-Identifier: Apache-2.0
// Resize and its forerunner Upsample.
#include <algorithm>
#include <cmath>

#include "tools/import/dimensions.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

using Floats = std::vector<double>;

// Input i is there and has elements: in older opsets an empty tensor stands for one left out.
bool is_given(const OnnxNode& node, size_t i) {
  return node.input(i) >= 0 && node.build.tensor(node.input(i)).elements() > 0;
}

// Values of the axes that the node names, `otherwise` for the others.
template <class T>
std::vector<T> over_all(const OnnxNode& node, const std::vector<T>& values, std::vector<T> all,
                        const char* what) {
  const int64_t rank = node.build.rank(node.input(0));
  Dims axes = node.axes(node.ints("axes"), rank);
  if (axes.empty()) {
    for (int64_t d = 0; d < rank; ++d) axes.push_back(d);
  }
  if (values.size() != axes.size()) {
    refuse(std::to_string(values.size()) + " " + what + ", should be " +
           std::to_string(axes.size()));
  }
  for (size_t i = 0; i < axes.size(); ++i) all[static_cast<size_t>(axes[i])] = values[i];
  return all;
}

// The region of interest: begins, then ends; 0 to 1 where the node has none.
Floats region(const OnnxNode& node) {
  const auto rank = static_cast<size_t>(node.build.rank(node.input(0)));
  Floats begins(rank, 0), ends(rank, 1);
  if (is_given(node, 1)) {
    const Floats roi = node.constant_floats(1, "roi");
    const auto middle = roi.begin() + static_cast<ptrdiff_t>(roi.size() / 2);
    begins = over_all(node, Floats(roi.begin(), middle), std::move(begins), "begins of the roi");
    ends = over_all(node, Floats(middle, roi.end()), std::move(ends), "ends of the roi");
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  return begins;
}

// One scale for all axes that are resized, so that the picture keeps its shape; gives it to
// `scales` and rounds the sizes by it.
void keep_aspect_ratio(const OnnxNode& node, const std::string& policy, Dims& sizes,
                       Floats& scales) {
  const Dims& in = node.build.dims(node.input(0));
  Dims axes = node.axes(node.ints("axes"), static_cast<int64_t>(in.size()));
  if (axes.empty()) {
    for (size_t d = 0; d < in.size(); ++d) axes.push_back(static_cast<int64_t>(d));
  }
  Floats ratios;
  for (const int64_t a : axes) {
    const auto d = static_cast<size_t>(a);
    require_static(node.build, node.input(0), d, "keep_aspect_ratio_policy");
    ratios.push_back(static_cast<double>(sizes[d]) / static_cast<double>(in[d]));
  }
  const bool least = policy == "not_larger";
  const double scale = least ? *std::min_element(ratios.begin(), ratios.end())
                             : *std::max_element(ratios.begin(), ratios.end());
  for (const int64_t a : axes) {
    const auto d = static_cast<size_t>(a);
    scales[d] = scale;
    sizes[d] = static_cast<int64_t>(std::floor(scale * static_cast<double>(in[d]) + 0.5));
  }
}

void read_extents(const OnnxNode& node, const Dims& perm, Attributes& attributes) {
  const Dims& in = node.build.dims(node.input(0));
  const bool old = node.op() == "Upsample" || node.opset < 11;
  Floats scales(in.size(), 1);
  if (!old && is_given(node, 3)) {
    const auto symbols = symbols_of(node.build.tensor(node.input(0)));
    Dims sizes = in;
    for (size_t d = 0; d < in.size(); ++d) {
      if (!symbols[d].empty()) sizes[d] = -1;
    }
    sizes = over_all(node, node.constant_ints(3, "sizes"), sizes, "sizes");
    const std::string policy = node.string_or("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") {
      keep_aspect_ratio(node, policy, sizes, scales);
      attributes["scales"] = permuted(scales, perm);
    }
    attributes["sizes"] = permuted(sizes, perm);
    return;
  }
  const bool attribute = node.op() == "Upsample" && node.opset < 9;
  const Floats given =
      attribute ? node.floats("scales") : node.constant_floats(old ? 1 : 2, "scales");
  attributes["scales"] = permuted(over_all(node, given, scales, "scales"), perm);
}

// Before opset 11 the nearest pixel is the next one where a dimension shrinks, as ONNX's own cases
// have it, and the last one where it grows.
int32_t old_nearest(Builder& build, int32_t x, Attributes attributes) {
  const Floats scales = std::get<Floats>(attributes.at("scales"));
  for (const bool shrinks : {true, false}) {
    Floats some(scales.size(), 1);
    for (size_t d = 0; d < scales.size(); ++d) {
      if ((scales[d] < 1) == shrinks) some[d] = scales[d];
    }
    if (shrinks && some == Floats(scales.size(), 1)) continue;
    if (!shrinks && some != scales && some == Floats(scales.size(), 1)) continue;
    attributes["scales"] = some;
    attributes["nearest_mode"] = std::string(shrinks ? "ceil" : "floor");
    x = build.add_like("Resize", {x}, attributes);
  }
  return x;
}

}  // namespace

std::vector<int32_t> convert_resize(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const bool old = node.op() == "Upsample" || node.opset < 11;
  std::string mode = node.string_or("mode", "nearest");
  if (mode == "bilinear" || mode == "trilinear") mode = "linear";
  if (mode != "nearest" && mode != "linear" && mode != "cubic") {
    refuse("mode " + mode + " is not taken", "export with mode=linear, cubic or nearest", "mode");
  }
  const std::string coordinates =
      node.string_or("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  Dims perm = build.rank(x) >= 3 ? to_channels_last_perm(build.dims(x).size()) : Dims{0, 1};
  perm.resize(build.dims(x).size());
  Attributes attributes = {{"mode", mode}, {"coordinate_transformation_mode", coordinates}};
  read_extents(node, perm, attributes);
  if (old && mode == "nearest")
    return {channels_first(build, old_nearest(build, channels_last(build, x), attributes))};
  if (mode == "nearest") {
    attributes["nearest_mode"] = node.string_or("nearest_mode", "round_prefer_floor");
  }
  if (mode == "cubic") attributes["cubic_coeff_a"] = node.float_or("cubic_coeff_a", -0.75f);
  for (const char* name : {"antialias", "exclude_outside"}) {
    if (mode != "nearest" && node.int_or(name, 0) != 0) attributes[name] = int64_t{1};
  }
  if (coordinates == "tf_crop_and_resize") {
    const Floats roi = region(node);
    const auto middle = roi.begin() + static_cast<ptrdiff_t>(perm.size());
    Floats moved = permuted(Floats(roi.begin(), middle), perm);
    const Floats ends = permuted(Floats(middle, roi.end()), perm);
    moved.insert(moved.end(), ends.begin(), ends.end());
    attributes["roi"] = moved;
    attributes["extrapolation_value"] = node.float_or("extrapolation_value", 0);
  }
  const int32_t y = build.add_like("Resize", {channels_last(build, x)}, std::move(attributes));
  return {channels_first(build, y)};
}

}  // namespace medulla::tools
