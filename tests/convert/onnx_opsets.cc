// SPDX-License-Identifier: Apache-2.0
// What newer opsets added to operators that are taken: it has its meaning, or is refused.
#include "tests/catch.h"
#include "tests/convert/refused.h"
#include "tests/convert/runner.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

using Type = onnx::TensorProto;
using Values = std::vector<float>;

struct Answer {
  mdl_dtype dtype;
  Values values;
};

// Of output y of the dtype that the model declares.
Answer answer_of(const OnnxModel& m, const Values& x) {
  const Folder folder;
  ConvertReport report;
  const Model model = import_and_optimize(m.write(folder), report);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  const Graph& graph = model.main();
  Runner runner(m.write(folder), "reference");
  runner.set(0, x);
  runner.run();
  return {graph.tensors[static_cast<size_t>(graph.outputs[0])].dtype, runner.get(0)};
}

constexpr int32_t kHalf = 0x3800, kOne = 0x3c00, kThird = 0x3555;  // of float16

}  // namespace

TEST_CASE("DequantizeLinear gives the dtype of its scale, or the one that it states") {
  OnnxModel m(23);
  m.input("x", {3}, Type::INT8);
  m.bytes("zero", {}, Type::INT8, {1});
  m.bytes("scale", {}, Type::FLOAT16, {kHalf});
  SECTION("float16") {
    m.node("DequantizeLinear", {"x", "scale", "zero"}, {"y"});
    m.output("y", {3}, Type::FLOAT16);
    const Answer y = answer_of(m, {1, 3, -5});
    CHECK(y.dtype == MDL_FLOAT16);
    CHECK(y.values == Values{1, 3, -5});
  }
  SECTION("float16, stated") {
    m.floats("wide", {}, {0.5f});
    set_int(m.node("DequantizeLinear", {"x", "wide", "zero"}, {"y"}), "output_dtype",
            Type::FLOAT16);
    m.output("y", {3}, Type::FLOAT16);
    CHECK(answer_of(m, {1, 3, -5}).dtype == MDL_FLOAT16);
  }
  SECTION("float32, stated") {
    set_int(m.node("DequantizeLinear", {"x", "scale", "zero"}, {"y"}), "output_dtype", Type::FLOAT);
    m.output("y", {3});
    const Answer y = answer_of(m, {1, 3, -5});
    CHECK(y.dtype == MDL_FLOAT32);
    CHECK(y.values == Values{1, 3, -5});
  }
}

TEST_CASE("QuantizeLinear divides in the dtype of its scale, or in the one that it states") {
  OnnxModel m(23);
  m.bytes("zero", {}, Type::INT8, {0});
  m.bytes("scale", {}, Type::FLOAT16, {kThird});
  SECTION("float16") {
    m.input("x", {2}, Type::FLOAT16);
    m.node("QuantizeLinear", {"x", "scale", "zero"}, {"y"});
    m.output("y", {2}, Type::INT8);
    const Answer y = answer_of(m, {0.33325195f, -100});
    CHECK(y.dtype == MDL_INT8);
    CHECK(y.values == Values{1, -128});
  }
  SECTION("float32, stated") {
    m.input("x", {2}, Type::FLOAT16);
    set_int(m.node("QuantizeLinear", {"x", "scale", "zero"}, {"y"}), "precision", Type::FLOAT);
    m.output("y", {2}, Type::INT8);
    CHECK(answer_of(m, {1, -1}).dtype == MDL_INT8);
  }
  SECTION("float16, stated") {
    m.input("x", {2});
    m.bytes("one", {}, Type::FLOAT16, {kOne});
    set_int(m.node("QuantizeLinear", {"x", "one", "zero"}, {"y"}), "precision", Type::FLOAT16);
    m.output("y", {2}, Type::INT8);
    // In float16 this is 2.5.
    CHECK(answer_of(m, {2.5004f, 3.5f}).values == Values{2, 4});
  }
}

TEST_CASE("a reduction over no axes still does the rest of what its name says") {
  const auto reduced = [](const char* op, bool empty) {
    INFO(op);
    OnnxModel m(18);
    m.input("x", {2});
    m.ints("none", {});
    set_int(
        m.node(op, empty ? std::vector<std::string>{"x", "none"} : std::vector<std::string>{"x"},
               {"y"}),
        "noop_with_empty_axes", 1);
    m.output("y", {2});
    return answer_of(m, {4, 0.25f}).values;
  };
  for (const bool empty : {true, false}) {
    for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd",
                           "ReduceL1", "ReduceL2", "ReduceLogSumExp"}) {
      CHECK(reduced(op, empty) == Values{4, 0.25f});
    }
    CHECK(reduced("ReduceSumSquare", empty) == Values{16, 0.0625f});
    CHECK(reduced("ReduceLogSum", empty)[0] == Approx(1.3862944f));
  }
}

TEST_CASE("Split's num_outputs is how many outputs there are") {
  OnnxModel m(18);
  m.input("x", {7});
  auto* node = m.node("Split", {"x"}, {"a", "b", "c", "y"});
  m.output("y", {1});
  SECTION("four") {
    set_int(node, "num_outputs", 4);
    CHECK(answer_of(m, {0, 1, 2, 3, 4, 5, 6}).values == Values{6});
  }
  SECTION("five") {
    set_int(node, "num_outputs", 5);
    check_refused(m, {"num_outputs", "is 5", "has 4"});
  }
}

TEST_CASE("GroupNormalization has its statistics in float32") {
  OnnxModel m(21);
  m.input("x", {1, 4, 2, 2});
  m.floats("one", {4}, {1, 1, 1, 1});
  auto* node = m.node("GroupNormalization", {"x", "one", "one"}, {"y"});
  set_int(node, "num_groups", 2);
  set_int(node, "stash_type", Type::FLOAT16);
  m.output("y", {1, 4, 2, 2});
  check_refused(m, {"GroupNormalization", "stash_type", "float32"});
}

TEST_CASE("Range states what it computes in") {
  OnnxModel m(27);
  m.input("x", {3});
  m.floats("zero", {}, {0});
  m.floats("three", {}, {3});
  m.floats("step", {}, {1});
  set_int(m.node("Range", {"zero", "three", "step"}, {"r"}), "stash_type", 1);
  m.node("Add", {"x", "r"}, {"y"});
  m.output("y", {3});
  CHECK(answer_of(m, {1, 1, 1}).values == Values{1, 2, 3});
}

TEST_CASE("nearest before opset 11 is the next pixel where it shrinks, the last where it grows") {
  OnnxModel m(10);
  m.input("x", {1, 1, 2, 4});
  Values expected;
  SECTION("both shrink") {
    m.floats("scales", {4}, {1, 1, 0.6f, 0.6f});
    m.output("y", {1, 1, 1, 2});
    expected = {1, 3};
  }
  SECTION("one grows") {
    m.floats("scales", {4}, {1, 1, 2, 0.6f});
    m.output("y", {1, 1, 4, 2});
    expected = {1, 3, 1, 3, 5, 7, 5, 7};
  }
  m.node("Resize", {"x", "scales"}, {"y"});
  CHECK(answer_of(m, {1, 2, 3, 4, 5, 6, 7, 8}).values == expected);
}

TEST_CASE("an operator that computes in float32 alone takes float16, and that is noted") {
  OnnxModel m(13);
  m.input("x", {1, 2, 2, 1});
  set_int(m.node("Cast", {"x"}, {"half"}), "to", Type::FLOAT16);
  m.node("GlobalAveragePool", {"half"}, {"y"});
  m.output("y", {1, 2, 1, 1}, Type::FLOAT16);
  const Answer y = answer_of(m, {1, 2, 3, 6});
  CHECK(y.dtype == MDL_FLOAT16);
  CHECK(y.values == Values{1.5f, 4.5f});
  const Folder folder;
  CHECK(convert(m.write(folder)).notes ==
        std::vector<std::string>{
            "'y_node' (GlobalAveragePool) computes in float32, and rounds to float16"});
}
