// SPDX-License-Identifier: Apache-2.0
// Padding, resizing, and pixels that become channels or batches.
#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

// [rank, 2] of begins and ends as all begins, then all ends.
Dims pads_of(const TfliteNode& node, int32_t x) {
  const Dims pairs = node.constant_ints(1, "the paddings");
  const auto rank = static_cast<size_t>(node.build.rank(x));
  if (pairs.size() != 2 * rank) {
    refuse(std::to_string(pairs.size()) + " paddings, should be " + std::to_string(2 * rank));
  }
  Dims pads(pairs.size());
  for (size_t d = 0; d < rank; ++d) {
    pads[d] = pairs[2 * d];
    pads[d + rank] = pairs[2 * d + 1];
  }
  if (std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p < 0; })) {
    refuse("a padding is below 0");
  }
  return pads;
}

bool is_zero(const Dims& pads) {
  return std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; });
}

int32_t block_of(const TfliteNode& node, int32_t block) {
  if (node.build.rank(node.stored(0)) != 4 || block < 1) {
    refuse("a block of " + std::to_string(block) + " on rank " +
           std::to_string(node.build.rank(node.stored(0))));
  }
  return block;
}

void require_multiple(int64_t extent, int64_t of) {
  if (of < 1 || extent % of != 0) {
    refuse(std::to_string(extent) + " is no multiple of " + std::to_string(of));
  }
}

// Blocks of the dimensions behind the batch.
Dims blocks_of(const TfliteNode& node, int32_t x) {
  const Dims blocks = node.constant_ints(1, "the block");
  if (blocks.size() + 1 > node.build.dims(x).size() || 2 * blocks.size() + 2 > MDL_MAX_RANK) {
    refuse(std::to_string(blocks.size()) + " blocks for rank " +
           std::to_string(node.build.rank(x)));
  }
  for (const int64_t b : blocks) {
    if (b < 1) refuse("a block is " + std::to_string(b));
  }
  return blocks;
}

// [count, 2] of begins and ends behind the blocks.
Dims pairs_of(const TfliteNode& node, size_t count, const char* what) {
  const Dims pairs = node.constant_ints(2, what);
  if (pairs.size() != 2 * count ||
      std::any_of(pairs.begin(), pairs.end(), [](int64_t p) { return p < 0 || p > INT32_MAX; })) {
    refuse(std::string(what) + " should be " + std::to_string(2 * count) + " numbers from 0 on");
  }
  return pairs;
}

}  // namespace

// The value of PADV2 is a tensor; that of PAD means 0.
void convert_pad(TfliteNode& node) {
  Builder& build = node.build;
  int32_t x = node.moved(0);
  const Dims pads = pads_of(node, x);
  if (is_zero(pads)) return node.set(0, x);
  double value = 0;
  if (node.has(2)) {
    const Tensor& constant = build.tensor(node.stored(2));
    // Only a value of the input's own units can be put among its integers.
    if (constant.quantization != build.tensor(x).quantization) x = node.value(0);
    if (build.tensor(x).dtype == MDL_INT8 && constant.data && constant.dtype == MDL_INT8) {
      value = values_of<int8_t>(constant).at(0);
    } else if (build.tensor(x).dtype == MDL_FLOAT32) {
      value = static_cast<double>(node.constant_floats(2, "the value").at(0));
    } else {
      value = static_cast<double>(node.constant_ints(2, "the value").at(0));
    }
  } else if (const auto& quantization = build.tensor(x).quantization) {
    value = quantization->zero_points[0];
  }
  node.set(0,
           build.add_like("Pad", {x},
                          {{"pads", pads}, {"mode", std::string("constant")}, {"value", value}}));
}

// SYMMETRIC repeats the edge itself: what is mirrored is put in front and behind.
void convert_mirror_pad(TfliteNode& node) {
  Builder& build = node.build;
  int32_t x = node.moved(0);
  const Dims pads = pads_of(node, x);
  if (is_zero(pads)) return node.set(0, x);
  if (node.options<tflite::MirrorPadOptions>().mode() == tflite::MirrorPadMode::REFLECT) {
    return node.set(0,
                    build.add_like("Pad", {x}, {{"pads", pads}, {"mode", std::string("reflect")}}));
  }
  const auto rank = static_cast<size_t>(build.rank(x));
  for (size_t d = 0; d < rank; ++d) {
    const int64_t size = build.dims(x)[d], begin = pads[d], end = pads[d + rank];
    if (begin == 0 && end == 0) continue;
    if (begin > size || end > size) {
      refuse("dimension " + std::to_string(d) + " has " + std::to_string(size) +
             " elements to mirror, too few");
    }
    const auto axis = static_cast<int64_t>(d);
    const auto mirrored = [&](int64_t first, int64_t before) {
      return build.add_like("Slice", {x},
                            {{"starts", Dims{first}},
                             {"ends", Dims{before < 0 ? INT32_MIN : before}},
                             {"axes", Dims{axis}},
                             {"steps", Dims{-1}}});
    };
    std::vector<int32_t> parts;
    if (begin > 0) parts.push_back(mirrored(begin - 1, -1));
    parts.push_back(x);
    if (end > 0) parts.push_back(mirrored(size - 1, size - 1 - end));
    x = build.add_like("Concat", std::move(parts), {{"axis", axis}});
  }
  node.set(0, x);
}

void convert_resize(TfliteNode& node) {
  Builder& build = node.build;
  const bool linear = node.op == tflite::BuiltinOperator::RESIZE_BILINEAR;
  const int32_t x = linear ? node.value(0) : node.moved(0);
  const Dims size = node.constant_ints(1, "the size");
  if (build.rank(x) != 4 || size.size() != 2) refuse("resizes what is no image");
  bool align, half;
  if (linear) {
    const auto& options = node.options<tflite::ResizeBilinearOptions>();
    align = options.align_corners();
    half = options.half_pixel_centers();
  } else {
    const auto& options = node.options<tflite::ResizeNearestNeighborOptions>();
    align = options.align_corners();
    half = options.half_pixel_centers();
  }
  const Dims dims = build.dims(x);
  Attributes attributes = {{"mode", std::string(linear ? "linear" : "nearest")},
                           {"coordinate_transformation_mode", std::string(align  ? "align_corners"
                                                                          : half ? "half_pixel"
                                                                                 : "asymmetric")}};
  if (!linear) {
    attributes["nearest_mode"] = std::string(align || half ? "round_prefer_ceil" : "floor");
  }
  Dims sizes = {dims[0], size[0], size[1], dims[3]};
  for (const size_t d : {0, 3}) {
    if (!symbols_of(build.tensor(x))[d].empty()) sizes[d] = -1;
  }
  attributes["sizes"] = sizes;
  node.set(0, build.add_like("Resize", {x}, std::move(attributes)));
}

// [N, H, W, b, b, C] -> [N, H, b, W, b, C]
void convert_depth_to_space(TfliteNode& node) {
  Builder& build = node.build;
  const int64_t b = block_of(node, node.options<tflite::DepthToSpaceOptions>().block_size());
  const int32_t x = node.moved(0);
  const Dims d = build.dims(x);
  const auto s = symbols_of(build.tensor(x));
  require_multiple(d[3], b * b);
  const int64_t c = d[3] / (b * b);
  const int32_t split =
      reshape_open(build, x, {d[0], d[1], d[2], b, b, c}, {s[0], s[1], s[2], "", "", ""});
  node.set(0, reshape_open(build, build.transpose(split, {0, 1, 3, 2, 4, 5}),
                           {d[0], d[1] * b, d[2] * b, c}, {s[0], s[1], s[2], ""}));
}

void convert_space_to_depth(TfliteNode& node) {
  Builder& build = node.build;
  const int64_t b = block_of(node, node.options<tflite::SpaceToDepthOptions>().block_size());
  const int32_t x = node.moved(0);
  const Dims d = build.dims(x);
  const auto s = symbols_of(build.tensor(x));
  require_multiple(d[1], b);
  require_multiple(d[2], b);
  const int32_t split = reshape_open(build, x, {d[0], d[1] / b, b, d[2] / b, b, d[3]},
                                     {s[0], s[1], "", s[2], "", s[3]});
  node.set(0, reshape_open(build, build.transpose(split, {0, 1, 3, 2, 4, 5}),
                           {d[0], d[1] / b, d[2] / b, d[3] * b * b}, s));
}

// [N, S1, b1, ..., C] -> [b1, ..., N, S1, ..., C], behind a padding of zeros.
void convert_space_to_batch(TfliteNode& node) {
  Builder& build = node.build;
  int32_t x = node.moved(0);
  const Dims blocks = blocks_of(node, x);
  const size_t count = blocks.size(), rank = build.dims(x).size();
  const Dims pairs = pairs_of(node, count, "the paddings");
  Dims pads(2 * rank, 0);
  for (size_t i = 0; i < count; ++i) {
    pads[i + 1] = pairs[2 * i];
    pads[i + 1 + rank] = pairs[2 * i + 1];
  }
  if (!is_zero(pads)) {
    const auto& q = build.tensor(x).quantization;
    const double zero = q ? q->zero_points[0] : 0;
    x = build.add_like("Pad", {x},
                       {{"pads", pads}, {"mode", std::string("constant")}, {"value", zero}});
  }
  const Dims d = build.dims(x);
  const auto open = symbols_of(build.tensor(x));
  std::vector<std::string> apart = {open[0]};
  Dims split = {d[0]}, perm, shape = {d[0]};
  for (size_t i = 0; i < count; ++i) {
    require_multiple(d[i + 1], blocks[i]);
    split.insert(split.end(), {d[i + 1] / blocks[i], blocks[i]});
    apart.insert(apart.end(), {open[i + 1], ""});
    perm.push_back(static_cast<int64_t>(2 * i + 2));
    shape[0] *= blocks[i];
    shape.push_back(d[i + 1] / blocks[i]);
  }
  perm.push_back(0);
  for (size_t i = 0; i < count; ++i) perm.push_back(static_cast<int64_t>(2 * i + 1));
  for (size_t i = count + 1; i < rank; ++i) {
    split.push_back(d[i]);
    apart.push_back(open[i]);
    shape.push_back(d[i]);
    perm.push_back(static_cast<int64_t>(i + count));
  }
  const int32_t moved = build.transpose(reshape_open(build, x, split, apart), perm);
  node.set(0, reshape_open(build, moved, shape, open));
}

// [b1, ..., N, S1, ..., C] -> [N, S1, b1, ..., C], then what is cropped goes.
void convert_batch_to_space(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.moved(0);
  const Dims blocks = blocks_of(node, x), d = build.dims(x);
  const size_t count = blocks.size(), rank = d.size();
  const Dims pairs = pairs_of(node, count, "the crops");
  int64_t batch = d[0];
  for (const int64_t b : blocks) {
    require_multiple(batch, b);
    batch /= b;
  }
  const auto open = symbols_of(build.tensor(x));
  std::vector<std::string> apart(count);
  apart.push_back(open[0]);
  Dims split = blocks, perm = {static_cast<int64_t>(count)}, shape = {batch}, starts, ends, axes;
  split.push_back(batch);
  for (size_t i = 0; i < count; ++i) {
    const int64_t whole = d[i + 1] * blocks[i];
    split.push_back(d[i + 1]);
    apart.push_back(open[i + 1]);
    perm.insert(perm.end(), {static_cast<int64_t>(count + 1 + i), static_cast<int64_t>(i)});
    shape.push_back(whole);
    axes.push_back(static_cast<int64_t>(i + 1));
    starts.push_back(pairs[2 * i]);
    if (pairs[2 * i + 1] > 0) require_static(build, x, i + 1, "a crop");
    ends.push_back(std::max<int64_t>(whole - pairs[2 * i + 1], 0));
  }
  for (size_t i = count + 1; i < rank; ++i) {
    split.push_back(d[i]);
    apart.push_back(open[i]);
    perm.push_back(static_cast<int64_t>(i + count));
    shape.push_back(d[i]);
  }
  const int32_t moved = build.transpose(reshape_open(build, x, split, apart), perm);
  const int32_t y = reshape_open(build, moved, shape, open);
  if (is_zero(pairs)) return node.set(0, y);
  node.set(
      0,
      build.add_like(
          "Slice", {y},
          {{"starts", starts}, {"ends", ends}, {"axes", axes}, {"steps", Dims(axes.size(), 1)}}));
}

}  // namespace medulla::tools
