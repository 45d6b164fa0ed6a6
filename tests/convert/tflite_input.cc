// SPDX-License-Identifier: Apache-2.0
// What bad TensorFlow Lite files get: all reasons at once, and never a crash.
#include <cmath>

#include "tests/catch.h"
#include "tests/convert/tflite_model.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// x int8 -> CONV_2D -> RELU -> y
TfliteModel small() {
  TfliteModel m;
  const int32_t x = m.quantize(m.input("x", {1, 3, 3, 2}, TfliteType::INT8), {0.5f}, {3});
  const std::vector<int8_t> weights(2 * 2 * 2 * 2, 5);
  const int32_t w =
      m.quantize(m.constant("w", {2, 2, 2, 2}, TfliteType::INT8, weights), {0.1f, 0.2f}, {0, 0});
  const std::vector<int32_t> bias = {7, -7};
  const int32_t b =
      m.quantize(m.constant("b", {2}, TfliteType::INT32, bias), {0.05f, 0.1f}, {0, 0});
  const int32_t t = m.quantize(m.add("t", {1, 3, 3, 2}, TfliteType::INT8), {0.25f}, {0});
  const int32_t y = m.quantize(m.output("y", {1, 3, 3, 2}, TfliteType::INT8), {0.25f}, {0});
  tflite::Conv2DOptionsT options;
  options.stride_w = options.stride_h = 1;
  options.activation = tflite::Activation::RELU6;
  m.node(TfliteOp::CONV_2D, {x, w, b}, {t}, options);
  m.node(TfliteOp::RELU, {t}, {y});
  return m;
}

std::vector<std::string> refusals(const std::string& bytes) {
  const Folder folder;
  const ConvertOptions options = TfliteModel::write_bytes_of(folder, bytes);
  const ConvertReport report = convert(options);
  std::vector<std::string> texts;
  for (const Refusal& refusal : report.refusals) texts.push_back(refusal.text());
  CHECK(texts.empty() == std::filesystem::exists(options.output));
  return texts;
}

void says(const TfliteModel& m, const std::string& text) {
  const auto texts = refusals(m.bytes());
  REQUIRE(texts.size() == 1);
  INFO(texts[0]);
  CHECK(texts[0].find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("a small TensorFlow Lite model converts") { CHECK(refusals(small().bytes()).empty()); }

TEST_CASE("a truncated TensorFlow Lite file is refused") {
  const std::string bytes = small().bytes();
  for (size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 13) {
    CAPTURE(size);
    CHECK(refusals(bytes.substr(0, size)).size() == 1);
  }
}

// Whatever it says then, it is said in words.
TEST_CASE("a TensorFlow Lite file with any byte changed is taken or refused", "[slow]") {
  const std::string bytes = small().bytes();
  const Folder folder;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int value : {0, 1, 127, 128, 255, bytes[at] ^ 1, bytes[at] + 4}) {
      CAPTURE(at, value);
      std::string changed = bytes;
      changed[at] = static_cast<char>(value);
      const ConvertReport report = convert(TfliteModel::write_bytes_of(folder, changed));
      for (const Refusal& refusal : report.refusals) CHECK(!refusal.text().empty());
    }
  }
}

TEST_CASE("a TensorFlow Lite file is known by its identifier too") {
  const Folder folder;
  ConvertOptions options = TfliteModel::write_bytes_of(folder, small().bytes());
  const std::string other = folder.file("model.bin");
  std::filesystem::rename(options.input, other);
  options.input = other;
  CHECK(convert(options).refusals.empty());
}

TEST_CASE("files that are no TensorFlow Lite models are refused") {
  ConvertOptions options;
  options.input = "absent.tflite";
  CHECK(convert(options).refusals.at(0).reason.find("No such file") != std::string::npos);
  CHECK(refusals("").at(0).find("is empty") != std::string::npos);
  CHECK(refusals("not a model, but of some length").at(0).find("is not") != std::string::npos);
  TfliteModel m;
  m.proto.version = 2;
  says(m, "schema version 2");
}

TEST_CASE("every operator that cannot be taken is reported at once") {
  TfliteModel m;
  const int32_t x = m.input("x", {1, 4});
  const int32_t a = m.add("a", {1, 4}), b = m.add("b", {1, 4}), c = m.add("c", {1, 4});
  const int32_t y = m.output("y", {1, 4});
  m.node(TfliteOp::CUSTOM, {x}, {a});
  m.proto.operator_codes.back()->custom_code = "TFLite_Detection_PostProcess";
  m.node(TfliteOp::RELU, {a}, {b});
  m.node(TfliteOp::HASHTABLE_LOOKUP, {b}, {c});
  m.node(TfliteOp::CUSTOM, {c}, {y});
  m.proto.operator_codes.back()->custom_code = "ethos-u";
  const auto texts = refusals(m.bytes());
  REQUIRE(texts.size() == 3);
  CHECK(texts[0] ==
        "'a' (TFLite_Detection_PostProcess): is a detector's selection of boxes, no builtin "
        "operator; cut the model in front of it and select in the application");
  CHECK(texts[1].find("'c' (HASHTABLE_LOOKUP): Medulla has no such operator") == 0);
  CHECK(texts[2].find("Arm Ethos-U") != std::string::npos);
}

TEST_CASE("wrong indices in a TensorFlow Lite file are refused") {
  SECTION("of an operator's input") {
    TfliteModel m = small();
    m.graph().operators[0]->inputs[1] = 77;
    says(m, "'t' (CONV_2D): names tensor 77 of 5");
  }
  SECTION("of an operator's output") {
    TfliteModel m = small();
    m.graph().operators[1]->outputs[0] = -2;
    says(m, "names tensor -2 of 5");
  }
  SECTION("of the graph's output") {
    TfliteModel m = small();
    m.graph().outputs[0] = 5;
    says(m, "the graph names tensor 5 of 5");
  }
  SECTION("of an operator's code") {
    TfliteModel m = small();
    m.graph().operators[0]->opcode_index = 9;
    says(m, "has the code 9");
  }
  SECTION("of a buffer") {
    TfliteModel m = small();
    m.tensor(1).buffer = 1000;
    says(m, "input 'w' buffer 1000 of 3 holds its values");
  }
  SECTION("of an input's buffer") {
    TfliteModel m = small();
    m.tensor(0).buffer = 99;
    says(m, "'x' (input): buffer 99 of 3 holds its values");
  }
  SECTION("of what is made later") {
    TfliteModel m = small();
    std::swap(m.graph().operators[0], m.graph().operators[1]);
    says(m,
         "input 't' is read, but nothing before makes it: operator 1 does, which is listed behind");
  }
}

TEST_CASE("operators of a TensorFlow Lite file that wait for one another are walked") {
  TfliteModel m;
  const int32_t x = m.input("x", {4}), a = m.add("a", {4}), y = m.output("y", {4});
  m.node(TfliteOp::ADD, {x, y}, {a}, tflite::AddOptionsT());
  m.node(TfliteOp::RELU, {a}, {y});
  says(m,
       "'a' (ADD): input 'y' is read, but nothing before makes it: it stands in a cycle: 'a' "
       "reads 'y' reads 'a'");
}

TEST_CASE("a tensor of a TensorFlow Lite file is written once") {
  TfliteModel m;
  const int32_t x = m.input("x", {4}), y = m.output("y", {4});
  SECTION("by operators") {
    m.node(TfliteOp::RELU, {x}, {y});
    m.node(TfliteOp::NEG, {x}, {y});
    says(m, "'y' (NEG): writes 'y', which operator 0 writes too");
  }
  SECTION("and an input by none") {
    m.node(TfliteOp::RELU, {x}, {x});
    m.node(TfliteOp::NEG, {x}, {y});
    says(m, "'x' (RELU): writes 'x', which is an input of its graph");
  }
}

TEST_CASE("wrong numbers in a TensorFlow Lite file are refused") {
  TfliteModel m = small();
  SECTION("no zero point") {
    m.tensor(1).quantization->zero_point.clear();
    says(m, "input 'w' has a scale and no zero point");
  }
  SECTION("zero points that are fewer than scales") {
    m.tensor(1).quantization->zero_point = {0};
    says(m, "has 2 scales and 1 zero points");
  }
  SECTION("a scale that is not positive, finite and normal") {
    for (const float scale : {0.0f, -1.0f, std::nanf(""), 1e-40f, HUGE_VALF}) {
      CAPTURE(scale);
      m.tensor(2).quantization->scale[1] = scale;
      says(m, "'b' scale 1 is ");
    }
  }
  SECTION("a zero point out of range") {
    for (const int64_t zero_point : {-129, 128}) {
      m.tensor(0).quantization->zero_point[0] = zero_point;
      says(m, "'x' (input): zero point 0 is " + std::to_string(zero_point) +
                  ", should be from -128 to 127");
    }
  }
  SECTION("scales that do not fit") {
    m.tensor(1).quantization->dimension = 4;
    says(m, "2 scales do not fit dimension 4 of [2,2,2,2]");
  }
  SECTION("fewer bytes than the shape needs") {
    m.tensor(1).shape = {2, 2, 2, 200};
    says(m, "input 'w' has 16 bytes, too few for its shape [2,2,2,200] of int8");
  }
  SECTION("40 GB claimed") {
    m.tensor(1).shape = {2, 100000, 100000, 2};
    says(m, "too few for its shape");
  }
  SECTION("more elements than can be counted") {
    m.tensor(0).shape = {2147483647, 2147483647, 2147483647, 2};
    const auto texts = refusals(m.bytes());
    REQUIRE(!texts.empty());
    CHECK(texts[0].find("which no tensor can have") != std::string::npos);
  }
  SECTION("values behind the file") {
    m.proto.buffers[1]->data.clear();
    m.proto.buffers[1]->offset = 100;
    m.proto.buffers[1]->size = uint64_t{40} << 30;
    says(m, "its values are 42949672960 bytes from byte 100 on");
  }
  SECTION("a shape that contradicts what follows") {
    m.tensor(4).shape = {1, 3, 4, 2};
    says(m, "gives the shape [1,3,3,2], but tensor 'y' has [1,3,4,2] in the file");
  }
  SECTION("an integer without a scale where numbers are meant") {
    m.tensor(0).quantization.reset();
    says(m, "'t' (CONV_2D): tensor 'x' is int8 without a scale, and 'w' has one");
  }
  SECTION("a zero point without a scale") {
    m.tensor(3).quantization->scale.clear();
    m.tensor(4).quantization->scale.clear();
    const auto texts = refusals(m.bytes());
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].find("'t' (CONV_2D): tensor 't' has a zero point and no scale") == 0);
    CHECK(texts[1].find("'y' (RELU): tensor 't' has a zero point and no scale") == 0);
  }
}

TEST_CASE("an operator without the inputs it needs is refused") {
  for (const TfliteOp op : {TfliteOp::CAST, TfliteOp::DEPTHWISE_CONV_2D, TfliteOp::FULLY_CONNECTED,
                            TfliteOp::CONCATENATION, TfliteOp::SELECT_V2, TfliteOp::SVDF}) {
    CAPTURE(tflite::EnumNameBuiltinOperator(op));
    for (const std::vector<int32_t>& inputs : {std::vector<int32_t>(), {-1, -1, -1, -1, -1}}) {
      TfliteModel m;
      m.input("x", {1, 1, 1, 1});
      const int32_t y = m.output("y", {1, 1, 1, 1});
      tflite::OperatorT& node = m.node(op, inputs, {y});
      if (op == TfliteOp::DEPTHWISE_CONV_2D) node.options.Set(tflite::DepthwiseConv2DOptionsT());
      if (op == TfliteOp::FULLY_CONNECTED) node.options.Set(tflite::FullyConnectedOptionsT());
      if (op == TfliteOp::CONCATENATION) node.options.Set(tflite::ConcatenationOptionsT());
      if (op == TfliteOp::SVDF) node.options.Set(tflite::SVDFOptionsT());
      CHECK(refusals(m.bytes()).size() == 1);
    }
  }
}

TEST_CASE("a pool whose window has too many elements for a table of them stays in float32") {
  TfliteModel m;
  const int32_t x = m.quantize(m.input("x", {1, 3, 3, 1}, TfliteType::INT8), {0.5f}, {3});
  const int32_t y = m.quantize(m.output("y", {1, 3, 3, 1}, TfliteType::INT8), {0.5f}, {3});
  tflite::Pool2DOptionsT options;
  options.filter_h = options.filter_w = 1 << 30;
  options.stride_h = options.stride_w = 1;
  m.node(TfliteOp::AVERAGE_POOL_2D, {x}, {y}, options);
  CHECK(refusals(m.bytes()).size() <= 1);
}
