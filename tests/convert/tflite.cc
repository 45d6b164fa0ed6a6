// SPDX-License-Identifier: Apache-2.0
// The TensorFlow Lite importer: operators that say things in another way than Medulla, types, and
// what a model keeps from run to run.
#include <cmath>

#include "tests/convert/imported.h"
#include "tests/convert/runner.h"
#include "tests/convert/tflite_model.h"
#include "tools/ir/infer.h"
#include "tools/passes/pass.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// An operator on a counted input and constants.
template <class... Options>
Floats apply(TfliteOp op, const std::vector<int32_t>& shape,
             const std::vector<std::vector<int32_t>>& parameters, const std::vector<int32_t>& to,
             const Options&... options) {
  TfliteModel m;
  std::vector<int32_t> inputs = {m.input("x", shape)};
  for (const auto& p : parameters) inputs.push_back(m.ints(p));
  const int32_t y = m.output("y", to);
  m.node(op, inputs, {y}, options...);
  return run_counted(m);
}

tflite::Conv2DOptionsT conv_options(tflite::Padding padding, int32_t stride) {
  tflite::Conv2DOptionsT options;
  options.padding = padding;
  options.stride_w = options.stride_h = stride;
  return options;
}

}  // namespace

TEST_CASE("SAME puts what is odd of its padding at the end") {
  TfliteModel m;
  const int32_t x = m.input("x", {1, 1, 4, 1});
  const int32_t w = m.floats({1, 1, 3, 1}, {100, 10, 1});
  const int32_t y = m.output("y", {1, 1, 2, 1});
  m.node(TfliteOp::CONV_2D, {x, w}, {y}, conv_options(tflite::Padding::SAME, 2));
  CHECK(run_counted(m) == Floats{12, 230});
}

TEST_CASE("a depthwise filter has its multiplier's channels beside each other") {
  TfliteModel m;
  const int32_t x = m.input("x", {1, 1, 2, 2});
  const int32_t w = m.floats({1, 1, 1, 4}, {1, 10, 100, 1000});
  const int32_t b = m.floats({4}, {0, 0, 0, 5});
  const int32_t y = m.output("y", {1, 1, 2, 4});
  tflite::DepthwiseConv2DOptionsT options;
  options.stride_w = options.stride_h = 1;
  options.multiplier = 2;
  m.node(TfliteOp::DEPTHWISE_CONV_2D, {x, w, b}, {y}, options);
  CHECK(run_counted(m) == Floats{0, 0, 100, 1005, 2, 20, 300, 3005});
}

TEST_CASE("a transposed convolution takes the extent it is given") {
  for (const int32_t width : {4, 5}) {
    TfliteModel m;
    const int32_t shape = m.ints({1, 1, width, 1});
    const int32_t w = m.floats({1, 1, 2, 1}, {10, 1});
    const int32_t x = m.input("x", {1, 1, 2, 1});
    const int32_t y = m.output("y", {1, 1, width, 1});
    tflite::TransposeConvOptionsT options;
    options.padding = width == 4 ? tflite::Padding::SAME : tflite::Padding::VALID;
    options.stride_w = options.stride_h = 2;
    m.node(TfliteOp::TRANSPOSE_CONV, {shape, w, x}, {y}, options);
    Floats expected = {0, 0, 10, 1};
    if (width == 5) expected.push_back(0);
    CHECK(run_counted(m) == expected);
  }
}

TEST_CASE("FULLY_CONNECTED takes all but the last dimension for the batch") {
  for (const bool keep : {false, true}) {
    TfliteModel m;
    const int32_t x = m.input("x", {1, 2, 2});
    const int32_t w = m.floats({1, 2}, {10, 1});
    const int32_t y = m.output("y", keep ? std::vector<int32_t>{1, 2, 1} : std::vector{2, 1});
    tflite::FullyConnectedOptionsT options;
    options.keep_num_dims = keep;
    options.activation = tflite::Activation::RELU6;
    m.node(TfliteOp::FULLY_CONNECTED, {x, w}, {y}, options);
    CHECK(run_counted(m) == Floats{1, 6});
  }
}

TEST_CASE("STRIDED_SLICE is Python's, by masks") {
  tflite::StridedSliceOptionsT o;
  SECTION("backwards to the first") {
    o.end_mask = 1;
    CHECK(apply(TfliteOp::STRIDED_SLICE, {4}, {{-1}, {0}, {-2}}, {2}, o) == Floats{3, 1});
  }
  SECTION("an index drops its dimension, a new axis adds one") {
    o.shrink_axis_mask = 1;
    o.new_axis_mask = 2;
    CHECK(apply(TfliteOp::STRIDED_SLICE, {2, 3}, {{-1, 0, 1}, {0, 0, 3}, {1, 1, 1}}, {1, 2}, o) ==
          Floats{4, 5});
  }
  SECTION("an ellipsis stands for what is left") {
    o.ellipsis_mask = 1;
    CHECK(apply(TfliteOp::STRIDED_SLICE, {2, 2, 2}, {{0, 1}, {0, 2}, {1, 1}}, {2, 2, 1}, o) ==
          Floats{1, 3, 5, 7});
  }
}

TEST_CASE("pixels become batches and come back") {
  const Floats batches =
      apply(TfliteOp::SPACE_TO_BATCH_ND, {1, 2, 3, 1}, {{1, 2}, {0, 0, 1, 0}}, {2, 2, 2, 1});
  CHECK(batches == Floats{0, 1, 0, 4, 0, 2, 3, 5});
  CHECK(apply(TfliteOp::BATCH_TO_SPACE_ND, {2, 2, 2, 1}, {{1, 2}, {0, 0, 1, 0}}, {1, 2, 3, 1}) ==
        Floats{4, 1, 5, 6, 3, 7});
  tflite::DepthToSpaceOptionsT options;
  options.block_size = 2;
  CHECK(apply(TfliteOp::DEPTH_TO_SPACE, {1, 1, 2, 4}, {}, {1, 2, 4, 1}, options) ==
        Floats{0, 1, 4, 5, 2, 3, 6, 7});
}

TEST_CASE("MIRROR_PAD repeats the edge or not") {
  tflite::MirrorPadOptionsT options;
  options.mode = tflite::MirrorPadMode::SYMMETRIC;
  CHECK(apply(TfliteOp::MIRROR_PAD, {3}, {{2, 1}}, {6}, options) == Floats{1, 0, 0, 1, 2, 2});
  options.mode = tflite::MirrorPadMode::REFLECT;
  CHECK(apply(TfliteOp::MIRROR_PAD, {3}, {{2, 1}}, {6}, options) == Floats{2, 1, 0, 1, 2, 1});
}

TEST_CASE("GATHER within batches") {
  TfliteModel m;
  const int32_t x = m.input("x", {2, 2, 3});
  const int32_t at = m.constant<int32_t>("at", {2, 2}, TfliteType::INT32, {2, 0, 1, 1});
  const int32_t y = m.output("y", {2, 2, 2});
  tflite::GatherOptionsT options;
  options.axis = 2;
  options.batch_dims = 1;
  m.node(TfliteOp::GATHER, {x, at}, {y}, options);
  CHECK(run_counted(m) == Floats{2, 0, 5, 3, 7, 7, 10, 10});
}

TEST_CASE("a slice is written where its start says, as far as there is room") {
  TfliteModel m;
  const int32_t x = m.input("x", {3, 2, 2});
  const int32_t update = m.input("update", {2, 1, 2});
  const int32_t start = m.input("start", {3}, TfliteType::INT32);
  m.node(TfliteOp::DYNAMIC_UPDATE_SLICE, {x, update, start}, {m.output("y", {3, 2, 2})});
  const Folder folder;
  Runner runner(m.write(folder));
  runner.set(0, Floats(12, 0));
  runner.set(1, {1, 2, 3, 4});
  runner.set(2, {0, 1, 0});
  runner.run();
  CHECK(runner.get(0) == Floats{0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0});
  runner.set(2, {7, -1, 1});
  runner.run();
  CHECK(runner.get(0) == Floats{0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0});
}

TEST_CASE("the greatest of a row, and any or all of it") {
  TfliteModel m;
  const int32_t x = m.input("x", {2, 3});
  m.node(TfliteOp::TOPK_V2, {x, m.ints({2})},
         {m.output("values", {2, 2}), m.output("indices", {2, 2}, TfliteType::INT32)});
  const int32_t positive = m.add("positive", {2, 3}, TfliteType::BOOL);
  m.node(TfliteOp::GREATER, {x, m.floats({}, {0})}, {positive});
  for (const TfliteOp op : {TfliteOp::REDUCE_ANY, TfliteOp::REDUCE_ALL}) {
    m.node(op, {positive, m.ints({1})},
           {m.output("y" + std::to_string(static_cast<int>(op)), {2}, TfliteType::BOOL)},
           tflite::ReducerOptionsT());
  }
  const Folder folder;
  Runner runner(m.write(folder));
  runner.set(0, {1, 3, 2, -1, 0, 5});
  runner.run();
  CHECK(runner.get(0) == Floats{3, 2, 5, 0});
  CHECK(runner.get(1) == Floats{1, 2, 2, 1});
  CHECK(runner.get(2) == Floats{1, 1});
  CHECK(runner.get(3) == Floats{1, 0});
}

TEST_CASE("parts of a split may be left to it") {
  TfliteModel m;
  const int32_t x = m.input("x", {5});
  const int32_t sizes = m.ints({1, -1}), axis = m.ints({0});
  const int32_t a = m.add("a", {1}), b = m.output("b", {4});
  tflite::SplitVOptionsT options;
  options.num_splits = 2;
  m.node(TfliteOp::SPLIT_V, {x, sizes, axis}, {a, b}, options);
  CHECK(run_counted(m) == Floats{1, 2, 3, 4});
}

TEST_CASE("shapes that are computed are known at conversion") {
  TfliteModel m;
  const int32_t x = m.input("x", {2, 3});
  const int32_t shape = m.add("shape", {2}, TfliteType::INT32);
  const int32_t rows = m.add("rows", {}, TfliteType::INT32);
  const int32_t minus = m.constant<int32_t>("minus", {}, TfliteType::INT32, {-1});
  const int32_t packed = m.add("packed", {3}, TfliteType::INT32);
  const int32_t y = m.output("y", {1, 2, 3});
  tflite::StridedSliceOptionsT slice;
  slice.shrink_axis_mask = 1;
  const int32_t zero = m.ints({0}), one = m.ints({1});
  const int32_t one_number = m.constant<int32_t>("one", {}, TfliteType::INT32, {1});
  tflite::PackOptionsT pack;
  pack.count = 3;
  m.node(TfliteOp::SHAPE, {x}, {shape});
  m.node(TfliteOp::STRIDED_SLICE, {shape, zero, one, one}, {rows}, slice);
  m.node(TfliteOp::PACK, {one_number, rows, minus}, {packed}, pack);
  m.node(TfliteOp::RESHAPE, {x, packed}, {y});
  CHECK(imported(m).main().nodes.size() == 1);
  CHECK(run_counted(m) == Floats{0, 1, 2, 3, 4, 5});
}

TEST_CASE("weights of fewer bits become what they mean") {
  const auto product = [](TfliteModel& m, int32_t w) {
    const int32_t x = m.input("x", {1, 2});
    const int32_t y = m.output("y", {1, 1});
    m.node(TfliteOp::FULLY_CONNECTED, {x, w}, {y}, tflite::FullyConnectedOptionsT());
  };
  TfliteModel m;
  SECTION("float16") {
    const int32_t half = m.constant<uint16_t>("h", {1, 2}, TfliteType::FLOAT16, {0x3c00, 0xc200});
    const int32_t w = m.add("w", {1, 2});
    m.node(TfliteOp::DEQUANTIZE, {half}, {w});
    product(m, w);
    CHECK(run_counted(m) == Floats{-3});
  }
  SECTION("int8, with a note") {
    product(m, m.quantize(m.constant<int8_t>("w", {1, 2}, TfliteType::INT8, {3, -4}), {0.5f}, {0}));
    CHECK(run_counted(m) == Floats{-2});
    ConvertReport report;
    imported(m, &report);
    REQUIRE(report.notes.size() == 1);
    CHECK(report.notes[0].find("1 layers have integer weights and float activations") == 0);
  }
  SECTION("int4") {
    product(m, m.quantize(m.constant<uint8_t>("w", {1, 2}, TfliteType::INT4, {0xc3}), {0.5f}, {0}));
    CHECK(run_counted(m) == Floats{-2});
  }
}

TEST_CASE("a dimension that is open may vary up to its maximum") {
  TfliteModel m;
  const int32_t x = m.input("x", {1, 2});
  m.tensor(x).shape_signature = {-1, 2};
  const int32_t w = m.floats({3, 2}, {1, 2, 3, 4, 5, 6});
  const int32_t y = m.output("y", {1, 3});
  m.tensor(y).shape_signature = {-1, 3};
  m.node(TfliteOp::FULLY_CONNECTED, {x, w}, {y}, tflite::FullyConnectedOptionsT());
  const Model model = imported(m, nullptr, {{"x.0", 4}});
  const Tensor& out = model.main().tensors[static_cast<size_t>(model.main().outputs[0])];
  CHECK(out.dims == Dims{4, 3});
  CHECK(out.symbols == std::vector<std::string>{"x.0", ""});
  ConvertReport report;
  imported(m, &report);
  CHECK(report.notes.size() == 1);
}

// TensorFlow's names end in ':0', by which extents that follow one in another measure are told too.
TEST_CASE("an open dimension of a tensor with a colon in its name may vary") {
  TfliteModel m;
  const int32_t x = m.input("serving_default_x:0", {1, 9, 1, 2});
  m.tensor(x).shape_signature = {1, -1, 1, 2};
  const int32_t w = m.floats({1, 3, 1, 2}, {1, 2, 3, 4, 5, 6}), b = m.floats({1}, {0});
  const int32_t y = m.add("y:0", {1, 4, 1, 1}), z = m.output("z:0", {1, 4, 1, 1});
  for (const int32_t t : {y, z}) m.tensor(t).shape_signature = {1, -1, 1, 1};
  m.node(TfliteOp::CONV_2D, {x, w, b}, {y}, conv_options(tflite::Padding::VALID, 2));
  m.node(TfliteOp::ADD, {y, y}, {z}, tflite::AddOptionsT());
  const Model model = imported(m, nullptr, {{"serving_default_x:0.1", 9}});
  const Tensor& out = model.main().tensors[static_cast<size_t>(model.main().outputs[0])];
  CHECK(out.dims == Dims{1, 4, 1, 1});
  CHECK(out.symbols == std::vector<std::string>{"", "serving_default_x:0.1:4", "", ""});
}

TEST_CASE("a symbol is told from its measure") {
  CHECK(without_measure("N", 9) == "N");
  CHECK(without_measure("N:5", 5) == "N");
  CHECK(without_measure("x:0.1", 9) == "x:0.1");
  CHECK(without_measure("x:0.1:5", 5) == "x:0.1");
  CHECK(without_measure("x:0", 9) == "x:0");
  CHECK(without_measure("9.k:found:4", 4) == "9.k:found");
  CHECK(only_maximum("x:0.1:8", 8).find("--fix-dim x:0.1=N") != std::string::npos);
}

TEST_CASE("names come from the first signature") {
  TfliteModel m;
  const int32_t x = m.input("serving_default_x:0", {1, 2});
  const int32_t y = m.output("PartitionedCall:0", {1, 2});
  m.node(TfliteOp::RELU, {x}, {y});
  const auto map = [](const std::string& name, int32_t tensor) {
    auto entry = std::make_unique<tflite::TensorMapT>();
    entry->name = name;
    entry->tensor_index = static_cast<uint32_t>(tensor);
    return entry;
  };
  for (const std::string key : {"serving_default", "other"}) {
    auto signature = std::make_unique<tflite::SignatureDefT>();
    signature->key = key;
    signature->inputs.push_back(map(key == "other" ? "x" : "signal", x));
    signature->outputs.push_back(map("label", y));
    m.proto.signatures.push_back(std::move(signature));
  }
  ConvertReport report;
  const Model model = imported(m, &report);
  const Graph& graph = model.main();
  CHECK(graph.tensors[static_cast<size_t>(graph.inputs[0])].name == "signal");
  CHECK(graph.tensors[static_cast<size_t>(graph.outputs[0])].name == "label");
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0] == "signature 'other' is left out; one is converted");
}

TEST_CASE("a GELU without options is the exact one") {
  for (const bool tanh : {false, true}) {
    tflite::GeluOptionsT options;
    options.approximate = true;
    const Floats y =
        tanh ? apply(TfliteOp::GELU, {3}, {}, {3}, options) : apply(TfliteOp::GELU, {3}, {}, {3});
    CAPTURE(tanh);
    REQUIRE(y.size() == 3);
    CHECK(y[0] == 0);
    CHECK(std::abs(y[1] - (tanh ? 0.84119199f : 0.84134475f)) <= 1e-6f);
    CHECK(std::abs(y[2] - (tanh ? 1.95459769f : 1.95449974f)) <= 2e-6f);
  }
}
