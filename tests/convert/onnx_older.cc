// SPDX-License-Identifier: Apache-2.0
// Opsets 1 to 6: what they say in other words than opset 7, against the same net in those.
#include "tests/catch.h"
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/runner.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr const char* kRewrite = "export with opset 7 or newer";

Floats answer_of(const OnnxModel& m, const Floats& x) {
  const Folder folder;
  const ConvertReport report = convert(m.write(folder));
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  Runner runner(m.write(folder), "reference");
  runner.set(0, x);
  runner.run();
  return runner.get(0);
}

// A node `op` of x [1,2,2,2] and of what `build` adds to the model.
template <class Build>
Floats answer_of(int64_t opset, const Dims& y, const Build& build) {
  OnnxModel m(opset);
  m.input("x", {1, 2, 2, 2});
  build(m);
  m.output("y", y);
  return answer_of(m, {0, 2, 0, 4, 5, 0, 7, 8});
}

const Dims kSame = {1, 2, 2, 2};

}  // namespace

TEST_CASE("an operand of an old opset has its place by axis") {
  struct Place {
    Dims dims;
    int64_t axis;  // -1: left out, then the last dimensions are meant
    Dims spread;   // as opset 7 writes it
  };
  const Place places[] = {
      {{1}, 0, {1, 1, 1, 1}}, {{2}, 1, {2, 1, 1}}, {{2}, 2, {2, 1}},          {{2}, 3, {2}},
      {{2, 2}, 1, {2, 2, 1}}, {{2, 2}, 2, {2, 2}}, {{1, 2}, 0, {1, 2, 1, 1}}, {{}, 0, {}},
      {{2}, -1, {2}}};
  for (const char* op :
       {"Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor"}) {
    const std::string name = op;
    const bool truths = name == "And" || name == "Or" || name == "Xor" || name == "Equal";
    const bool compares = truths || name == "Greater" || name == "Less";
    for (const Place& place : places) {
      INFO(op << " of " << place.dims.size() << " dimensions at axis " << place.axis);
      const auto answer = [&](int64_t opset) {
        return answer_of(opset, kSame, [&](OnnxModel& m) {
          const Dims& dims = opset < 7 ? place.dims : place.spread;
          size_t count = 1;
          for (const int64_t d : place.dims) count *= static_cast<size_t>(d);
          if (truths) {
            std::vector<int32_t> values = {1, 0, 0, 1};
            values.resize(count);
            m.bytes("b", dims, onnx::TensorProto::BOOL, values);
            set_int(m.node("Cast", {"x"}, {"x_is"}), "to", onnx::TensorProto::BOOL);
          } else {
            Floats values = {3, 5, 2, 4.5f};
            values.resize(count);
            m.floats("b", dims, values);
          }
          auto* node = m.node(op, {truths ? "x_is" : "x", "b"}, {compares ? "truth" : "y"});
          if (opset < 7) {
            set_int(node, "broadcast", 1);
            if (place.axis >= 0) set_int(node, "axis", place.axis);
          }
          if (compares) set_int(m.node("Cast", {"truth"}, {"y"}), "to", onnx::TensorProto::FLOAT);
        });
      };
      CHECK(answer(6) == answer(7));
    }
  }
}

TEST_CASE("an operand of an old opset that is computed has its place by axis too") {
  const auto answer = [](int64_t opset) {
    return answer_of(opset, kSame, [&](OnnxModel& m) {
      m.node("GlobalMaxPool", {"x"}, {"pooled"});
      set_ints(m.node("Squeeze", {"pooled"}, {"b"}), "axes", {0, 2, 3});
      if (opset < 7) {
        auto* node = m.node("Sub", {"x", "b"}, {"y"});
        set_int(node, "broadcast", 1);
        set_int(node, "axis", 1);
      } else {
        m.node("Sub", {"x", "pooled"}, {"y"});
      }
    });
  };
  CHECK(answer(1) == answer(7));
}

TEST_CASE("an axis of an old opset that fits no operand is refused") {
  OnnxModel m(6);
  m.input("x", {1, 2, 2, 2});
  m.floats("b", {2, 2}, {1, 2, 3, 4});
  m.output("y", kSame);
  auto* node = m.node("Add", {"x", "b"}, {"y"});
  SECTION("behind the last dimension") {
    set_int(node, "broadcast", 1);
    set_int(node, "axis", 3);
    check_refused(m, {"'y_node' (Add, opset 6), axis: is 3", "4 and 2 dimensions", kRewrite});
  }
  SECTION("below 0") {
    set_int(node, "broadcast", 1);
    set_int(node, "axis", -1);
    check_refused(m, {"'y_node' (Add, opset 6), axis: is -1", kRewrite});
  }
  SECTION("of another type") {
    set_string(node, "axis", "1");
    check_refused(m, {"'y_node' (Add, opset 6), axis", "type", kRewrite});
  }
  SECTION("without broadcast") {
    check_refused(m, {"'y_node' (Add, opset 6), broadcast", "4 and 2 dimensions", kRewrite});
  }
}

TEST_CASE("what opset 1 says in other words means what opset 7 says") {
  const auto answer = [](const Dims& y, auto build) { return answer_of(1, y, build); };
  const Floats x = {0, 2, 0, 4, 5, 0, 7, 8};
  CHECK(answer({2, 4}, [](OnnxModel& m) {
          set_ints(m.node("Reshape", {"x"}, {"y"}), "shape", {2, -1});
        }) == x);
  CHECK(answer(kSame, [](OnnxModel& m) {
          set_string(m.node("Cast", {"x"}, {"i"}), "to", "INT32");
          set_string(m.node("Cast", {"i"}, {"y"}), "to", "FLOAT");
        }) == x);
  CHECK(answer(kSame,
               [](OnnxModel& m) { set_int(m.node("Dropout", {"x"}, {"y"}), "is_test", 0); }) == x);
  CHECK(answer(kSame, [](OnnxModel& m) {
          set_ints(m.node("Relu", {"x"}, {"y"}), "consumed_inputs", {0});
        }) == x);
  CHECK(answer({1, 2, 2, 3}, [](OnnxModel& m) {
          auto* node = m.node("Pad", {"x"}, {"y"});
          set_ints(node, "paddings", {0, 0, 0, 1, 0, 0, 0, 0});
          set_float(node, "value", 3);
        }) == Floats{3, 0, 2, 3, 0, 4, 3, 5, 0, 3, 7, 8});
  CHECK(answer({1, 4, 2, 2}, [](OnnxModel& m) {
          m.node("Concat", {"x", "x"}, {"y"});
        }) == Floats{0, 2, 0, 4, 5, 0, 7, 8, 0, 2, 0, 4, 5, 0, 7, 8});
  CHECK(answer({1, 1, 2, 2}, [](OnnxModel& m) {
          set_int(m.node("Split", {"x"}, {"a", "y"}), "axis", 1);
        }) == Floats{5, 0, 7, 8});
  CHECK(answer({1, 2, 4, 2}, [](OnnxModel& m) {
          auto* node = m.node("Upsample", {"x"}, {"y"});
          set_float(node, "height_scale", 2);
          set_float(node, "width_scale", 1);
        }) == Floats{0, 2, 0, 2, 0, 4, 0, 4, 5, 0, 5, 0, 7, 8, 7, 8});
  CHECK(answer({1, 2, 1, 1}, [](OnnxModel& m) {
          set_float(m.node("GlobalLpPool", {"x"}, {"y"}), "p", 1);
        }) == Floats{6, 20});
  CHECK(answer({2, 1}, [](OnnxModel& m) {
          set_ints(m.node("Reshape", {"x"}, {"flat"}), "shape", {2, 4});
          m.floats("w", {4, 1}, {1, 1, 1, 1});
          m.floats("b", {1}, {0.5f});
          set_int(m.node("Gemm", {"flat", "w", "b"}, {"y"}), "broadcast", 1);
        }) == Floats{6.5f, 20.5f});
  CHECK(answer(kSame, [](OnnxModel& m) {
          m.floats("slope", {2}, {1, 2});
          m.node("Neg", {"x"}, {"less"});
          m.node("PRelu", {"less", "slope"}, {"y"});
        }) == Floats{0, -2, 0, -4, -10, 0, -14, -16});
}

TEST_CASE("what opset 1 says and is not taken is refused by opset and operator") {
  OnnxModel m(1);
  m.input("x", {1, 2, 2, 2});
  m.output("y", kSame);
  m.floats("n", {2}, {1, 1});
  SECTION("sizes as an input") {
    m.node("Split", {"x", "n"}, {"y", "z"});
    check_refused(m, {"'y_node' (Split, opset 1)", kRewrite});
  }
  SECTION("tiles") {
    m.node("Tile", {"x", "n", "n"}, {"y"});
    check_refused(m, {"'y_node' (Tile, opset 1)", kRewrite});
  }
  SECTION("a type that is none") {
    set_string(m.node("Cast", {"x"}, {"y"}), "to", "FLOAT3");
    check_refused(m, {"'y_node' (Cast, opset 1), to: is 'FLOAT3'", kRewrite});
  }
  SECTION("a step of training") {
    set_int(m.node("BatchNormalization", {"x", "n", "n", "n", "n"}, {"y"}), "is_test", 0);
    check_refused(m, {"'y_node' (BatchNormalization, opset 1), is_test: is 0", kRewrite});
  }
}
