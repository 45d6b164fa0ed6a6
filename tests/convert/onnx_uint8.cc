// SPDX-License-Identifier: Apache-2.0
// Quantized uint8, which is int8 inside: what reads the integers gets the source's.
#include <cmath>

#include "tests/convert/refused.h"
#include "tests/convert/runner.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr int kUint8 = onnx::TensorProto::UINT8;
constexpr int kInt64 = onnx::TensorProto::INT64;
using Integers = std::vector<uint8_t>;

// Steps of 0.5 around 120.
OnnxModel with_parameters() {
  OnnxModel m(17);
  m.floats("s", {}, {0.5f});
  m.bytes("z", {}, kUint8, {120});
  return m;
}

// x [6] -> QuantizeLinear -> q
OnnxModel quantized_input() {
  OnnxModel m = with_parameters();
  m.input("x", {6});
  m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  return m;
}
const std::vector<float> kX = {-60, -10, 0, 0.5f, 4, 100};
const Integers kQ = {0, 100, 120, 121, 128, 255};

template <class T>
std::vector<T> as(const Bytes& bytes) {
  const T* first = reinterpret_cast<const T*>(bytes.data());
  return {first, first + bytes.size() / sizeof(T)};
}

template <class T>
std::vector<T> run(const OnnxModel& model, const std::vector<float>& x = kX) {
  const Folder folder;
  Runner runner(model.write(folder));
  runner.set(0, x);
  runner.run();
  return as<T>(runner.get_bytes(0));
}

template <class T>
std::vector<T> run(const OnnxModel& model, const Integers& x) {
  const Folder folder;
  Runner runner(model.write(folder));
  runner.set_bytes(0, x.data(), x.size());
  runner.run();
  return as<T>(runner.get_bytes(0));
}

Integers each(const Integers& q, int (*f)(int)) {
  Integers y;
  for (const uint8_t v : q) y.push_back(static_cast<uint8_t>(f(v)));
  return y;
}

}  // namespace

TEST_CASE("weights that the graph quantizes to uint8 are the real numbers that it means") {
  OnnxModel m = with_parameters();
  const bool per_channel = GENERATE(false, true), of_integers = GENERATE(false, true);
  m.floats("w", {2, 3}, {0.5f, -1, 2, 3.5f, -0.5f, 1});
  std::string s = "s", z = "z";
  if (per_channel) {
    m.floats("ss", {3}, {0.5f, 0.25f, 1});
    m.bytes("zs", {3}, kUint8, {120, 128, 3});
    s = "ss", z = "zs";
  }
  const std::string x = of_integers ? "xr" : "x";
  m.input("x", {1, 2});
  if (of_integers) {
    m.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
    m.node("DequantizeLinear", {"xq", "s", "z"}, {"xr"});
  }
  m.node("QuantizeLinear", {"w", s, z}, {"q"});
  m.node("DequantizeLinear", {"q", s, z}, {"d"});
  m.node("MatMul", {x, "d"}, {"y"});
  m.output("y", {1, 3});
  CHECK(run<float>(m, std::vector<float>{2, 1}) == std::vector<float>{4.5f, -2.5f, 5});
}

TEST_CASE("what pads quantized uint8 pads with the source's integer") {
  OnnxModel m = quantized_input();
  m.ints("pads", {1, 0});
  const auto [fill, real] = GENERATE(table<int, float>({{120, 0.0f}, {0, -60.0f}, {250, 65.0f}}));
  m.bytes("fill", {}, kUint8, {fill});
  std::vector<std::string> inputs = {"q", "pads"};
  if (fill != 0) inputs.push_back("fill");
  m.node("Pad", inputs, {"p"});
  std::vector<float> expected = {real};
  for (const uint8_t q : kQ) expected.push_back((static_cast<float>(q) - 120) / 2);
  m.node("DequantizeLinear", {"p", "s", "z"}, {"y"});
  m.output("y", {7});
  CHECK(run<float>(m) == expected);
}

TEST_CASE("what computes with quantized uint8 does so with the source's integers") {
  OnnxModel m = quantized_input();
  Integers expected;
  m.bytes("c", {6}, kUint8, {1, 2, 3, 4, 5, 6});
  SECTION("Max") {
    m.bytes("other", {}, kUint8, {110});
    m.node("Max", {"q", "other"}, {"y"});
    expected = each(kQ, [](int v) { return std::max(v, 110); });
  }
  SECTION("Mul") {
    m.node("Mul", {"q", "q"}, {"y"});
    expected = each(kQ, [](int v) { return v * v & 255; });
  }
  SECTION("Sub") {
    m.node("Sub", {"q", "c"}, {"y"});
    for (int i = 0; i < 6; ++i)
      expected.push_back(static_cast<uint8_t>(kQ[static_cast<size_t>(i)] - i - 1));
  }
  SECTION("Where and Greater") {
    m.bytes("other", {}, kUint8, {120});
    m.node("Greater", {"q", "other"}, {"above"});
    m.node("Where", {"above", "q", "c"}, {"y"});
    expected = {1, 2, 3, 121, 128, 255};
  }
  SECTION("Clip") {
    m.bytes("low", {}, kUint8, {101});
    m.bytes("high", {}, kUint8, {200});
    m.node("Clip", {"q", "low", "high"}, {"y"});
    expected = {101, 101, 120, 121, 128, 200};
  }
  SECTION("Concat with other integers") {
    set_int(m.node("Concat", {"q", "c"}, {"y"}), "axis", 0);
    expected = kQ;
    for (int i = 1; i < 7; ++i) expected.push_back(static_cast<uint8_t>(i));
  }
  SECTION("ScatterElements") {
    m.ints("at", {4, 1});
    m.bytes("values", {2}, kUint8, {9, 200});
    m.node("ScatterElements", {"q", "at", "values"}, {"y"});
    expected = {0, 200, 120, 121, 9, 255};
  }
  m.output("y", {static_cast<int64_t>(expected.size())}, kUint8);
  CHECK(run<uint8_t>(m) == expected);
}

TEST_CASE("integers that were computed are dequantized") {
  OnnxModel m = quantized_input();
  m.bytes("other", {}, kUint8, {110});
  m.node("Max", {"q", "other"}, {"max"});
  m.node("DequantizeLinear", {"max", "s", "z"}, {"y"});
  m.output("y", {6});
  CHECK(run<float>(m) == std::vector<float>{-5, -5, 0, 0.5f, 4, 67.5f});
}

TEST_CASE("NonZero of quantized uint8 looks at the source's integers") {
  OnnxModel m = quantized_input();
  m.node("NonZero", {"q"}, {"y"});
  m.output("y", {1, -1}, kInt64);
  const std::vector<int64_t> y = run<int64_t>(m);
  REQUIRE(y.size() >= 5);
  CHECK(std::vector<int64_t>(y.begin(), y.begin() + 5) == std::vector<int64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("an If and a Loop get quantized uint8 as the source's integers") {
  OnnxModel m = quantized_input();
  m.bytes("one", {}, kUint8, {1});
  onnx::GraphProto body;
  body.set_name("body");
  const auto add = [&](const std::string& op, const std::vector<std::string>& inputs,
                       const std::string& output) {
    auto* node = body.add_node();
    node->set_op_type(op);
    for (const std::string& i : inputs) node->add_input(i);
    node->add_output(output);
  };
  Integers expected;
  onnx::NodeProto* node = nullptr;
  const char* name = "body";
  SECTION("carried") {
    m.constant("trips", {}, kInt64)->add_int64_data(3);
    m.value(body.add_input(), "i", {}, kInt64);
    m.value(body.add_input(), "go", {}, onnx::TensorProto::BOOL);
    m.value(body.add_input(), "v", {6}, kUint8);
    m.value(body.add_output(), "on", {}, onnx::TensorProto::BOOL);
    add("Identity", {"go"}, "on");
    add("Add", {"v", "one"}, "w");
    m.value(body.add_output(), "w", {6}, kUint8);
    node = m.node("Loop", {"trips", "", "q"}, {"y"});
    expected = each(kQ, [](int v) { return v + 3; });
  }
  SECTION("captured, and quantized again in a branch") {
    m.constant("zero", {}, onnx::TensorProto::FLOAT)->add_float_data(0);
    m.node("ReduceMax", {"x"}, {"most"});
    m.node("Greater", {"most", "zero"}, {"condition"});
    add("DequantizeLinear", {"q", "s", "z"}, "d");
    add("QuantizeLinear", {"d", "s", "z"}, "w");
    m.value(body.add_output(), "w", {6}, kUint8);
    node = m.node("If", {"condition"}, {"y"});
    auto* other = node->add_attribute();
    other->set_name("else_branch");
    other->set_type(onnx::AttributeProto::GRAPH);
    *other->mutable_g() = body;
    name = "then_branch";
    expected = kQ;
  }
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  *attribute->mutable_g() = body;
  m.output("y", {6}, kUint8);
  CHECK(run<uint8_t>(m) == expected);
}

TEST_CASE("an integer input may be moved before it is dequantized") {
  OnnxModel m = with_parameters();
  m.input("x", {1, 2, 2, 2}, kUint8);
  const Integers x = {0, 10, 20, 30, 40, 50, 255, 130};
  std::vector<int> order;
  SECTION("channels first") {
    set_ints(m.node("Transpose", {"x"}, {"t"}), "perm", {0, 3, 1, 2});
    order = {0, 20, 40, 255, 10, 30, 50, 130};
  }
  SECTION("padded, cut, pooled") {
    m.ints("pads", {0, 0, 0, 1, 0, 0, 0, 0});
    m.bytes("fill", {}, kUint8, {7});
    m.ints("starts", {1});
    m.ints("ends", {2});
    m.ints("axes", {2});
    m.node("Pad", {"x", "pads", "fill"}, {"p"});
    m.node("Slice", {"p", "starts", "ends", "axes"}, {"c"});
    set_ints(m.node("MaxPool", {"c"}, {"t"}), "kernel_shape", {1, 2});
    order = {20, 30, 255, 255};
  }
  SECTION("in two places, one of which computes") {
    m.bytes("c", {}, kUint8, {1});
    m.node("Add", {"x", "c"}, {"t"});
    order = {1, 11, 21, 31, 41, 51, 0, 131};
  }
  m.node("DequantizeLinear", {"t", "s", "z"}, {"y"});
  std::vector<float> expected;
  for (const int q : order) expected.push_back((static_cast<float>(q) - 120) / 2);
  m.proto.mutable_graph()->add_output()->set_name("y");
  m.proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::FLOAT);
  CHECK(run<float>(m, x) == expected);
}

TEST_CASE("integers may be dequantized twice, with scales that differ") {
  const bool is_signed = GENERATE(false, true), input = GENERATE(false, true);
  const int type = is_signed ? onnx::TensorProto::INT8 : kUint8;
  OnnxModel m(17);
  m.floats("s", {}, {0.5f});
  m.floats("other", {}, {0.25f});
  m.bytes("z", {}, type, {100});
  m.bytes("other_z", {}, type, {3});
  if (input) {
    m.input("q", {3}, type);
  } else {
    m.input("x", {3});
    m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  }
  m.node("DequantizeLinear", {"q", "s", "z"}, {"a"});
  m.node("DequantizeLinear", {"q", "other", "other_z"}, {"b"});
  m.node("Sub", {"a", "b"}, {"y"});
  m.output("y", {3});
  std::vector<float> x, expected;
  for (const int q : {1, 100, 127}) {
    x.push_back(static_cast<float>(q - 100) / 2);
    expected.push_back(x.back() - static_cast<float>(q - 3) / 4);
  }
  CHECK((input ? run<float>(m, Integers{1, 100, 127}) : run<float>(m, x)) == expected);
}
