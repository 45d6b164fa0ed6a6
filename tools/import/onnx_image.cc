// SPDX-License-Identifier: Apache-2.0
// Image operators without a window.
#include <cmath>

#include "tools/import/dimensions.h"
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

std::vector<int32_t> convert_grid_sample(OnnxNode& node) {
  Builder& build = node.build;
  std::string mode = node.string_or("mode", "linear");
  if (mode.starts_with("bi")) mode.erase(0, 2);  // before opset 20
  const int32_t y = build.add("GridSample", {channels_last(build, node.input(0)), node.input(1)},
                              {{"mode", mode},
                               {"padding_mode", node.string_or("padding_mode", "zeros")},
                               {"align_corners", node.int_or("align_corners", 0)}});
  return {channels_first(build, y)};
}

// The grid is a product of each pixel's place, (x, y, 1) or (x, y, z, 1), with theta.
std::vector<int32_t> convert_affine_grid(OnnxNode& node) {
  Builder& build = node.build;
  const Dims size = node.constant_ints(1, "size");
  if (size.size() != 4 && size.size() != 5) {
    refuse("size has " + std::to_string(size.size()) + " entries, should have 4 or 5");
  }
  const Dims pixels(size.begin() + 2, size.end());
  const size_t spatial = pixels.size();
  const size_t count = require_size(MDL_FLOAT32, pixels) / sizeof(float);
  if (count > size_t{1} << 28) refuse("size gives more pixels than a constant should hold");
  const bool aligned = node.int_or("align_corners", 0) != 0;
  std::vector<float> places;
  Dims index(spatial, 0);
  for (size_t p = 0; p < count; ++p) {
    for (size_t d = spatial; d-- > 0;) {
      const auto n = static_cast<double>(pixels[d]);
      const auto i = static_cast<double>(index[d]);
      const double place = aligned ? (n > 1 ? 2 * i / (n - 1) - 1 : -1) : (2 * i + 1) / n - 1;
      places.push_back(static_cast<float>(place));
    }
    places.push_back(1);
    for (size_t d = spatial; d-- > 0 && ++index[d] == pixels[d];) index[d] = 0;
  }
  const int32_t base = build.constant(
      MDL_FLOAT32, {static_cast<int64_t>(count), static_cast<int64_t>(spatial + 1)}, places);
  const int32_t grid = build.add("MatMul", {base, build.transpose(node.input(0), {0, 2, 1})});
  Dims shape = {0};
  shape.insert(shape.end(), pixels.begin(), pixels.end());
  shape.push_back(static_cast<int64_t>(spatial));
  return {build.add("Reshape", {grid}, {{"shape", shape}})};
}

std::vector<int32_t> convert_max_roi_pool(OnnxNode& node) {
  Builder& build = node.build;
  return {channels_first(
      build, build.add("MaxRoiPool", {channels_last(build, node.input(0)), node.input(1)},
                       {{"pooled_shape", node.ints("pooled_shape")},
                        {"spatial_scale", node.float_or("spatial_scale", 1)}}))};
}

std::vector<int32_t> convert_roi_align(OnnxNode& node) {
  Builder& build = node.build;
  const std::string old = node.opset < 16 ? "output_half_pixel" : "half_pixel";
  const bool half = node.string_or("coordinate_transformation_mode", old) == "half_pixel";
  const int32_t y =
      build.add("RoiAlign", {channels_last(build, node.input(0)), node.input(1), node.input(2)},
                {{"output_height", node.int_or("output_height", 1)},
                 {"output_width", node.int_or("output_width", 1)},
                 {"sampling_ratio", node.int_or("sampling_ratio", 0)},
                 {"spatial_scale", node.float_or("spatial_scale", 1)},
                 {"mode", node.string_or("mode", "avg")},
                 {"half_pixel", static_cast<int64_t>(half)}});
  return {channels_first(build, y)};
}

// Cuts or fills each axis around its middle; of an odd number the greater part at the end.
std::vector<int32_t> convert_center_crop_pad(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  node.require_static(x, "CenterCropPad");
  const Dims dims = build.dims(x);
  const Dims shape = node.constant_ints(1, "shape");
  Dims axes = node.axes(node.ints("axes"), build.rank(x));
  if (axes.empty()) {
    for (int64_t d = 0; d < build.rank(x); ++d) axes.push_back(d);
  }
  if (shape.size() != axes.size()) {
    refuse("shape has " + std::to_string(shape.size()) + " entries, should have " +
           std::to_string(axes.size()));
  }
  Dims pads(2 * dims.size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<size_t>(axes[i]);
    const int64_t more = shape[i] - dims[d];
    pads[d] = more / 2;
    pads[dims.size() + d] = more - more / 2;
  }
  return {build.add_like("Pad", {x}, {{"pads", pads}})};
}

namespace {

// Refuses a block that does not divide the dimensions from `first` to `last`.
int64_t block_of(const OnnxNode& node, size_t first, size_t last, int64_t power) {
  const Dims& dims = node.build.dims(node.input(0));
  const int64_t b = node.int_or("blocksize", 0);
  bool fits = dims.size() == 4 && b > 0 && b < 1 << 16;
  for (size_t d = first; fits && d <= last; ++d) {
    fits = dims[d] % (power == 2 ? b * b : b) == 0 && dims[d] > 0;
  }
  if (!fits) {
    refuse("is " + std::to_string(b) + ", should divide the dimensions of an input of rank 4", "",
           "blocksize");
  }
  return b;
}

}  // namespace

// DCR: [N, b, b, C/b^2, H, W] -> [N, C/b^2, H, b, W, b]; CRD has the block behind the channels.
std::vector<int32_t> convert_depth_to_space(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t b = block_of(node, 1, 1, 2);
  const Dims d = build.dims(x);
  const int64_t c = d[1] / (b * b);
  const bool dcr = node.string_or("mode", "DCR") == "DCR";
  const auto s = symbols_of(build.tensor(x));
  const int32_t split = reshape_open(
      build, x, dcr ? Dims{d[0], b, b, c, d[2], d[3]} : Dims{d[0], c, b, b, d[2], d[3]},
      {s[0], "", "", "", s[2], s[3]});
  const int32_t moved =
      build.transpose(split, dcr ? Dims{0, 3, 4, 1, 5, 2} : Dims{0, 1, 4, 2, 5, 3});
  return {reshape_open(build, moved, {d[0], c, d[2] * b, d[3] * b}, {s[0], "", s[2], s[3]})};
}

std::vector<int32_t> convert_space_to_depth(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t b = block_of(node, 2, 3, 1);
  const Dims d = build.dims(x);
  const auto s = symbols_of(build.tensor(x));
  const int32_t split = reshape_open(build, x, {d[0], d[1], d[2] / b, b, d[3] / b, b},
                                     {s[0], s[1], s[2], "", s[3], ""});
  const bool dcr = node.string_or("mode", "DCR") == "DCR";
  const int32_t moved =
      build.transpose(split, dcr ? Dims{0, 3, 5, 1, 2, 4} : Dims{0, 1, 3, 5, 2, 4});
  return {reshape_open(build, moved, {d[0], d[1] * b * b, d[2] / b, d[3] / b},
                       {s[0], s[1], s[2], s[3]})};
}

}  // namespace medulla::tools
