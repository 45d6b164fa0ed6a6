// SPDX-License-Identifier: Apache-2.0
// Image operators without a window.
#include <cmath>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {

// Rank 2 is [N, C] in both layouts.
int32_t channels_last(Builder& build, int32_t x) {
  if (build.rank(x) < 3) return x;
  return build.transpose(x, to_channels_last_perm(build.dims(x).size()));
}

int32_t channels_first(Builder& build, int32_t x) {
  if (build.rank(x) < 3) return x;
  return build.transpose(x, to_channels_first_perm(build.dims(x).size()));
}

std::vector<int32_t> convert_global_pool(OnnxNode& node) {
  return {channels_first(node.build,
                         node.build.add(node.op(), {channels_last(node.build, node.input(0))}))};
}

std::vector<int32_t> convert_global_lp_pool(OnnxNode& node) {
  const int32_t x = node.input(0);
  Dims axes;
  for (int64_t d = 2; d < node.build.rank(x); ++d) axes.push_back(d);
  return {lp_norm(node.build, x, axes, node.int_or("p", 2))};
}

std::vector<int32_t> convert_resize(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const bool upsample = node.op() == "Upsample";
  const bool old = upsample || node.opset < 11;
  Attributes attributes;
  std::string mode = node.string_or("mode", "nearest");
  if (mode == "bilinear" || mode == "trilinear") mode = "linear";
  if (mode != "nearest" && mode != "linear") {
    refuse("mode " + mode + " is not taken", "export with mode=linear or nearest", "mode");
  }
  const std::string coordinates =
      node.string_or("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  if (coordinates == "tf_crop_and_resize") {
    refuse("tf_crop_and_resize is not taken", "crop with Slice, then resize with half_pixel",
           "coordinate_transformation_mode");
  }
  for (const char* name : {"antialias", "exclude_outside"}) {
    if (node.int_or(name, 0) != 0) refuse("is not taken", "export without it", name);
  }
  if (!node.ints("axes").empty() ||
      node.string_or("keep_aspect_ratio_policy", "stretch") != "stretch") {
    refuse("is not taken", "give scales or sizes for every dimension",
           node.ints("axes").empty() ? "keep_aspect_ratio_policy" : "axes");
  }
  const size_t scales_at = old ? 1 : 2;
  const bool image = build.rank(x) >= 3;
  const Dims perm = image ? to_channels_last_perm(build.dims(x).size()) : Dims();
  if (!old && node.input(3) >= 0 && !build.dims(node.input(3)).empty() &&
      build.dims(node.input(3))[0] > 0) {
    const Dims sizes = node.constant_ints(3, "sizes");
    attributes["sizes"] = image ? permuted(sizes, perm) : sizes;
  } else {
    const auto scales = upsample && node.opset < 9 ? node.floats("scales")
                                                   : node.constant_floats(scales_at, "scales");
    if (scales.size() != build.dims(x).size()) {
      refuse(std::to_string(scales.size()) + " scales for rank " + std::to_string(build.rank(x)));
    }
    attributes["scales"] = image ? permuted(scales, perm) : scales;
  }
  attributes["mode"] = mode;
  attributes["coordinate_transformation_mode"] = coordinates;
  if (mode == "nearest") {
    attributes["nearest_mode"] =
        node.string_or("nearest_mode", old ? "floor" : "round_prefer_floor");
  }
  const int32_t y = build.add_like("Resize", {channels_last(build, x)}, std::move(attributes));
  return {channels_first(build, y)};
}

// DCR: [N, b, b, C/b^2, H, W] -> [N, C/b^2, H, b, W, b]; CRD has the block behind the channels.
std::vector<int32_t> convert_depth_to_space(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  node.require_static(x, "DepthToSpace");
  const Dims d = build.dims(x);
  const int64_t b = node.int_or("blocksize", 1);
  const int64_t c = d[1] / (b * b);
  const bool dcr = node.string_or("mode", "DCR") == "DCR";
  const int32_t split =
      build.reshape(x, dcr ? Dims{d[0], b, b, c, d[2], d[3]} : Dims{d[0], c, b, b, d[2], d[3]});
  const int32_t moved =
      build.transpose(split, dcr ? Dims{0, 3, 4, 1, 5, 2} : Dims{0, 1, 4, 2, 5, 3});
  return {build.reshape(moved, {d[0], c, d[2] * b, d[3] * b})};
}

std::vector<int32_t> convert_space_to_depth(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  node.require_static(x, "SpaceToDepth");
  const Dims d = build.dims(x);
  const int64_t b = node.int_or("blocksize", 1);
  const int32_t split = build.reshape(x, {d[0], d[1], d[2] / b, b, d[3] / b, b});
  const int32_t moved = build.transpose(split, {0, 3, 5, 1, 2, 4});
  return {build.reshape(moved, {d[0], d[1] * b * b, d[2] / b, d[3] / b})};
}

}  // namespace medulla::tools
