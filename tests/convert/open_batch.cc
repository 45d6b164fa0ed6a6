// SPDX-License-Identifier: Apache-2.0
// A batch that varies: what looks at an extent to know how to work looks at others. What comes out
// for each batch is what the model gives whose batch is fixed to that.
#include "tests/convert/run_graph.h"
#include "tests/convert/stream.h"
#include "tests/convert/tflite_model.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

template <class Source>
void check(const Source& model, const std::string& symbol, Dims shape) {
  constexpr int64_t kMost = 4;
  const Folder folder;
  for (const int64_t n : {1, 3, 4}) {
    INFO("batch " << n);
    shape[0] = n;
    int64_t count = 1;
    for (const int64_t d : shape) count *= d;
    const Floats x = random_floats(static_cast<size_t>(count), 7);
    std::vector<Floats> results;
    for (const bool fixed : {false, true}) {
      ConvertOptions options = model.write(folder);
      (fixed ? options.fixed_dims : options.maxima)[symbol] = fixed ? n : kMost;
      const ConvertReport report = convert(options);
      for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
      REQUIRE(report.refusals.empty());
      results.push_back(Stream(options.output, nullptr).feed(x, shape));
    }
    CHECK(results[0] == results[1]);
  }
}

}  // namespace

TEST_CASE("ONNX operators take a batch that varies") {
  int64_t opset = 18;
  SECTION("Softmax of old opsets") { opset = 11; }
  OnnxModel m(opset);
  m.input("x", {-1, 4, 8, 6});
  Dims shape = {-1, 4, 8, 6};
  const auto same = [&](onnx::NodeProto* node) {
    set_string(node, "auto_pad", "SAME_UPPER");
    set_ints(node, "strides", {2, 2});
    return node;
  };
  if (opset == 11) {
    set_int(m.node("Softmax", {"x"}, {"y"}), "axis", 1);
  }
  SECTION("Conv with SAME padding") {
    shape = {-1, 3, 4, 3};

    m.floats("w", {3, 4, 3, 3}, random_floats(108, 1));
    same(m.node("Conv", {"x", "w"}, {"y"}));
  }
  SECTION("MaxPool with SAME padding") {
    shape = {-1, 4, 4, 3};

    set_ints(same(m.node("MaxPool", {"x"}, {"y"})), "kernel_shape", {3, 3});
  }
  SECTION("ConvTranspose with SAME padding") {
    shape = {-1, 3, 16, 12};

    m.floats("w", {4, 3, 3, 3}, random_floats(108, 1));
    same(m.node("ConvTranspose", {"x", "w"}, {"y"}));
  }
  SECTION("ConvTranspose to a shape") {
    shape = {-1, 3, 16, 12};

    m.floats("w", {4, 3, 3, 3}, random_floats(108, 1));
    auto* node = m.node("ConvTranspose", {"x", "w"}, {"y"});
    set_ints(node, "strides", {2, 2});
    set_ints(node, "output_shape", {16, 12});
  }
  SECTION("DepthToSpace") {
    shape = {-1, 1, 16, 12};
    set_int(m.node("DepthToSpace", {"x"}, {"y"}), "blocksize", 2);
  }
  SECTION("SpaceToDepth") {
    shape = {-1, 16, 4, 3};
    set_int(m.node("SpaceToDepth", {"x"}, {"y"}), "blocksize", 2);
  }
  SECTION("Size") {
    m.node("Size", {"x"}, {"n"});
    set_int(m.node("Cast", {"n"}, {"f"}), "to", onnx::TensorProto::FLOAT);
    m.node("Div", {"x", "f"}, {"y"});
  }
  SECTION("Resize that keeps the ratio") {
    shape = {-1, 4, 12, 9};

    m.ints("sizes", {12, 16});
    auto* node = m.node("Resize", {"x", "", "", "sizes"}, {"y"});
    set_string(node, "mode", "linear");
    set_string(node, "keep_aspect_ratio_policy", "not_larger");
    set_ints(node, "axes", {2, 3});
  }
  m.output("y", shape);
  check(m, "N", {4, 4, 8, 6});
}

TEST_CASE("an extent along which no padding follows from it may vary") {
  OnnxModel m(13);
  m.input("x", {-1, 3, 8, 8});
  m.node("Transpose", {"x"}, {"t"});
  Dims shape = {8, 2, 3, -1};
  SECTION("with stride 1") {
    m.floats("w", {2, 8, 3, 3}, random_floats(144, 1));
    set_string(m.node("Conv", {"t", "w"}, {"y"}), "auto_pad", "SAME_LOWER");
  }
  SECTION("a transposed convolution") {
    shape = {8, 2, 6, 1};
    m.floats("w", {8, 2, 3, 3}, random_floats(144, 1));
    auto* node = m.node("ConvTranspose", {"t", "w"}, {"wide"});
    set_string(node, "auto_pad", "SAME_UPPER");
    set_ints(node, "strides", {2, 2});
    set_ints(m.node("ReduceMax", {"wide"}, {"y"}), "axes", {3});
  }
  m.output("y", shape);
  check(m, "N", {4, 3, 8, 8});
}

TEST_CASE("TensorFlow Lite operators take a batch that varies") {
  TfliteModel m;
  const auto open = [&](int32_t t) {
    m.tensor(t).shape_signature = m.tensor(t).shape;
    m.tensor(t).shape_signature[0] = -1;
    return t;
  };
  const int32_t x = open(m.input("x", {1, 8, 6, 4}));
  const auto output = [&](const std::vector<int32_t>& shape) { return open(m.output("y", shape)); };
  SECTION("CONV_2D with SAME padding") {
    tflite::Conv2DOptionsT options;
    options.padding = tflite::Padding::SAME;
    options.stride_h = options.stride_w = 2;
    const int32_t w = m.floats({3, 3, 3, 4}, random_floats(108, 1)), b = m.floats({3}, {1, 2, 3});
    m.node(TfliteOp::CONV_2D, {x, w, b}, {output({1, 4, 3, 3})}, options);
  }
  SECTION("MAX_POOL_2D with SAME padding") {
    tflite::Pool2DOptionsT options;
    options.padding = tflite::Padding::SAME;
    options.stride_h = options.stride_w = 2;
    options.filter_h = options.filter_w = 3;
    m.node(TfliteOp::MAX_POOL_2D, {x}, {output({1, 4, 3, 4})}, options);
  }
  SECTION("TRANSPOSE_CONV") {
    tflite::TransposeConvOptionsT options;
    options.padding = tflite::Padding::SAME;
    options.stride_h = options.stride_w = 2;
    const int32_t w = m.floats({2, 3, 3, 4}, random_floats(72, 1)), shape = m.ints({1, 16, 12, 2});
    m.node(TfliteOp::TRANSPOSE_CONV, {shape, w, x}, {output({1, 16, 12, 2})}, options);
  }
  SECTION("FULLY_CONNECTED that keeps dimensions") {
    tflite::FullyConnectedOptionsT options;
    options.keep_num_dims = true;
    const int32_t w = m.floats({3, 4}, random_floats(12, 1));
    m.node(TfliteOp::FULLY_CONNECTED, {x, w}, {output({1, 8, 6, 3})}, options);
  }
  SECTION("FULLY_CONNECTED that flattens") {
    const int32_t w = m.floats({3, 192}, random_floats(576, 1));
    m.node(TfliteOp::FULLY_CONNECTED, {x, w}, {output({1, 3})}, tflite::FullyConnectedOptionsT());
  }
  SECTION("DEPTH_TO_SPACE") {
    tflite::DepthToSpaceOptionsT options;
    options.block_size = 2;
    m.node(TfliteOp::DEPTH_TO_SPACE, {x}, {output({1, 16, 12, 1})}, options);
  }
  SECTION("SPACE_TO_DEPTH") {
    tflite::SpaceToDepthOptionsT options;
    options.block_size = 2;
    m.node(TfliteOp::SPACE_TO_DEPTH, {x}, {output({1, 4, 3, 16})}, options);
  }
  SECTION("SPACE_TO_BATCH_ND and back") {
    const int32_t wide = open(m.add("wide", {4, 5, 4, 4})), block = m.ints({2, 2});
    const int32_t pads = m.ints({1, 1, 0, 2});
    m.node(TfliteOp::SPACE_TO_BATCH_ND, {x, block, pads}, {wide});
    m.node(TfliteOp::BATCH_TO_SPACE_ND, {wide, block, pads}, {output({1, 8, 6, 4})});
  }
  SECTION("RESIZE_BILINEAR") {
    tflite::ResizeBilinearOptionsT options;
    options.half_pixel_centers = true;
    m.node(TfliteOp::RESIZE_BILINEAR, {x, m.ints({11, 5})}, {output({1, 11, 5, 4})}, options);
  }
  SECTION("STRIDED_SLICE") {
    tflite::StridedSliceOptionsT options;
    options.begin_mask = options.end_mask = 1;
    std::vector<int32_t> shape = {1, 6, 4};
    SECTION("of one row") { options.shrink_axis_mask = 2; }
    SECTION("into a dimension of one") {
      options.new_axis_mask = 2;
      shape = {1, 1, 8, 6, 4};
    }
    m.node(TfliteOp::STRIDED_SLICE, {x, m.ints({0, 7}), m.ints({0, 8}), m.ints({1, 1})},
           {output(shape)}, options);
  }
  check(m, "x.0", {4, 8, 6, 4});
}

TEST_CASE("STRIDED_SLICE counts from the end of what varies") {
  TfliteModel m;
  const int32_t x = m.input("x", {1, 8});
  m.tensor(x).shape_signature = {-1, 8};
  tflite::StridedSliceOptionsT options;
  std::vector<int32_t> begin = {-1, 0}, end = {0, 8}, strides = {1, 1}, shape = {1, 8};
  SECTION("its last") {
    options.shrink_axis_mask = 1;
    shape = {8};
  }
  SECTION("its last ones") { options.end_mask = 1; }
  SECTION("back to its first") {
    options.begin_mask = options.end_mask = 1;
    strides[0] = -1;
  }
  const int32_t y = m.output("y", shape);
  if (shape.size() == 2) m.tensor(y).shape_signature = {-1, 8};
  m.node(TfliteOp::STRIDED_SLICE, {x, m.ints(begin), m.ints(end), m.ints(strides)}, {y}, options);
  check(m, "x.0", {4, 8});
}
