// SPDX-License-Identifier: Apache-2.0
// Quantization whose numbers are computed in the model.
#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

std::vector<Bytes> run(const OnnxModel& model, const Floats& x) {
  const Folder folder;
  ConvertReport report;
  const Model result = import_and_optimize(model.write(folder), report);
  INFO((report.refusals.empty() ? "" : report.refusals[0].text()));
  REQUIRE(report.refusals.empty());
  return run_graph(result.main(), {as_bytes(x)});
}

}  // namespace

TEST_CASE("DynamicQuantizeLinear finds a range that holds 0") {
  OnnxModel model(11);
  model.input("x", {3});
  model.output("y", {3}, onnx::TensorProto::UINT8);
  model.output("scale", {});
  model.output("zero", {}, onnx::TensorProto::UINT8);
  model.node("DynamicQuantizeLinear", {"x"}, {"y", "scale", "zero"});
  const auto bytes = [](std::initializer_list<int> values) {
    Bytes b;
    for (const int v : values) b.push_back(static_cast<std::byte>(v));
    return b;
  };
  std::vector<Bytes> out = run(model, {-1, 0.5f, 1.55f});
  CHECK(out[0] == bytes({0, 150, 255}));
  CHECK(tools::to_floats(out[1])[0] == Approx(0.01f));
  CHECK(out[2] == bytes({100}));
  out = run(model, {0, 0, 0});
  CHECK(out[0] == bytes({0, 0, 0}));
  CHECK(out[2] == bytes({0}));
}

TEST_CASE("a scale for each block is repeated inside it") {
  OnnxModel model(21);
  model.bytes("q", {1, 5}, onnx::TensorProto::INT8, {1, 2, 3, 4, 5});
  model.floats("scale", {1, 3}, {1, 10, 100});
  model.input("x", {1, 5});
  model.output("y", {1, 5});
  auto* node = model.node("DequantizeLinear", {"q", "scale"}, {"w"});
  set_int(node, "axis", 1);
  set_int(node, "block_size", 2);
  model.node("Mul", {"x", "w"}, {"y"});
  CHECK(tools::to_floats(run(model, {1, 1, 1, 1, 2})[0]) == Floats{1, 2, 30, 40, 1000});
}
