// SPDX-License-Identifier: Apache-2.0
// Operators of opsets that the installed ONNX library may not know.
#include "tests/catch.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/runner.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// The outputs of a model whose inputs are floats.
std::vector<Floats> run_model(const OnnxModel& model, const std::vector<Floats>& inputs) {
  const Folder folder;
  Runner runner(model.write(folder));
  for (size_t i = 0; i < inputs.size(); ++i) runner.set(i, inputs[i]);
  runner.run();
  std::vector<Floats> outputs;
  for (size_t o = 0; o < runner.outputs(); ++o) outputs.push_back(runner.get(o));
  return outputs;
}

}  // namespace

TEST_CASE("AffineGrid places pixels by a matrix") {
  for (const int64_t aligned : {0, 1}) {
    OnnxModel m(20);
    m.input("theta", {1, 2, 3});
    m.ints("size", {1, 1, 2, 2});
    set_int(m.node("AffineGrid", {"theta", "size"}, {"grid"}), "align_corners", aligned);
    m.output("grid", {1, 2, 2, 2});
    const float e = aligned != 0 ? 1 : 0.5f;  // of the outer pixels' places
    CHECK(run_model(m, {{2, 0, 1, 0, 1, -1}})[0] ==
          Floats{1 - 2 * e, -1 - e, 1 + 2 * e, -1 - e, 1 - 2 * e, e - 1, 1 + 2 * e, e - 1});
  }
}

TEST_CASE("a causal convolution goes on from its state") {
  const auto model = [](int64_t length, bool state) {
    OnnxModel m(27);
    m.input("x", {1, 2, length});
    if (state) m.input("past", {1, 2, 2});
    m.floats("w", {2, 1, 3}, {1, 2, 3, -1, 0, 1});
    m.floats("b", {2}, {0.5f, 0});
    auto* node = m.node("CausalConvWithState", {"x", "w", "b"}, {"y", "present"});
    if (state) node->add_input("past");
    set_string(node, "activation", "none");
    m.output("y", {1, 2, length});
    m.output("present", {1, 2, 2});
    return m;
  };
  const auto whole = run_model(model(4, false), {{1, 2, 3, 4, 5, 6, 7, 8}});
  CHECK(whole[0] == Floats{3.5f, 8.5f, 14.5f, 20.5f, 5, 6, 2, 2});
  CHECK(whole[1] == Floats{3, 4, 7, 8});
  const auto first = run_model(model(2, false), {{1, 2, 5, 6}});
  const auto second = run_model(model(2, true), {{3, 4, 7, 8}, first[1]});
  CHECK(first[0] == Floats{3.5f, 8.5f, 5, 6});
  CHECK(second[0] == Floats{14.5f, 20.5f, 2, 2});
  CHECK(second[1] == whole[1]);
}

TEST_CASE("TensorScatter writes rows into a cache, in circles too") {
  for (const bool circular : {false, true}) {
    OnnxModel m(24);
    m.input("cache", {2, 3, 1});
    m.input("rows", {2, 2, 1});
    m.constant("at", {2}, onnx::TensorProto::INT64)->add_int64_data(1);
    m.proto.mutable_graph()->mutable_initializer(0)->add_int64_data(circular ? 2 : 0);
    auto* node = m.node("TensorScatter", {"cache", "rows", "at"}, {"y"});
    set_string(node, "mode", circular ? "circular" : "linear");
    m.output("y", {2, 3, 1});
    CHECK(run_model(m, {{0, 0, 0, 0, 0, 0}, {1, 2, 3, 4}})[0] ==
          (circular ? Floats{0, 1, 2, 4, 0, 3} : Floats{0, 1, 2, 3, 4, 0}));
  }
}

TEST_CASE("Swish and SwiGLU have a slope") {
  OnnxModel m(28);
  m.input("x", {2});
  m.input("z", {2});
  set_float(m.node("Swish", {"x"}, {"a"}), "alpha", 2);
  m.node("SwiGLU", {"x", "z"}, {"b"});
  m.output("a", {2});
  m.output("b", {2});
  const auto y = run_model(m, {{1, -2}, {3, 4}});
  const auto sigmoid = [](float v) { return 1 / (1 + std::exp(-v)); };
  CHECK(y[0][0] == Approx(sigmoid(2)));
  CHECK(y[0][1] == Approx(-2 * sigmoid(-4)));
  CHECK(y[1][0] == Approx(3 * sigmoid(1)));
  CHECK(y[1][1] == Approx(-8 * sigmoid(-2)));
}

TEST_CASE("Softmax and Conv of half precision compute in float32") {
  for (const int type : {onnx::TensorProto::FLOAT16, onnx::TensorProto::BFLOAT16}) {
    OnnxModel m(22);
    m.input("x", {1, 1, 3}, type);
    m.input("w", {1, 1, 2}, type);
    m.node("Conv", {"x", "w"}, {"y"});
    m.node("Softmax", {"y"}, {"z"});
    m.output("y", {1, 1, 2}, type);
    m.output("z", {1, 1, 2}, type);
    const auto y = run_model(m, {{1, 2, 4}, {2, -1}});
    CHECK(y[0] == Floats{0, 0});
    CHECK(y[1] == Floats{0.5f, 0.5f});
  }
}
