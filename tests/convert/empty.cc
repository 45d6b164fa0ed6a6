// SPDX-License-Identifier: Apache-2.0
// Tensors without elements, as sources have them.
#include "tests/catch.h"
#include "tests/command/shell.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/runner.h"
#include "tests/convert/tflite_model.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// Each names an output and has the dims of what it selects of x [2, 3], no elements.
OnnxModel model_of_nothing() {
  OnnxModel m(14);
  m.input("x", {2, 3});
  m.input("at", {0}, onnx::TensorProto::INT64);
  m.floats("none", {0, 3}, {});
  m.ints("one", {1});
  m.ints("zero", {0});
  m.ints("sizes", {2, 0});
  m.ints("turned", {3, 0});
  m.ints("twice", {0, 2});
  m.ints("spread", {0, 3});
  m.ints("nothing", {0});
  m.node("Slice", {"x", "one", "one", "zero"}, {"cut"});
  m.node("Split", {"x", "sizes"}, {"all", "rest"});
  set_int(m.node("Reshape", {"cut", "turned"}, {"reshaped"}), "allowzero", 1);
  m.node("Tile", {"x", "twice"}, {"tiled"});
  m.node("Slice", {"x", "zero", "one", "zero"}, {"row"});
  m.node("Expand", {"row", "spread"}, {"expanded"});
  m.node("Gather", {"x", "at"}, {"gathered"});
  m.node("ConstantOfShape", {"nothing"}, {"filled"});
  m.node("Trilu", {"cut"}, {"triangle"});
  m.node("Softmax", {"rest"}, {"soft"});
  m.node("Transpose", {"tiled"}, {"wide"});
  set_int(m.node("Concat", {"cut", "none"}, {"both"}), "axis", 0);
  return m;
}

const std::vector<std::pair<std::string, std::vector<int64_t>>> kNothing = {
    {"cut", {0, 3}},      {"rest", {0, 3}}, {"reshaped", {3, 0}}, {"tiled", {0, 6}},
    {"expanded", {0, 3}}, {"filled", {0}},  {"gathered", {0, 3}}, {"triangle", {0, 3}},
    {"soft", {0, 3}},     {"wide", {6, 0}}, {"both", {0, 3}},
};

}  // namespace

TEST_CASE("ONNX operators that give nothing") {
  OnnxModel m = model_of_nothing();
  for (const auto& [name, dims] : kNothing) m.output(name, dims);
  m.output("all", {2, 3});
  for (const char* backends : {"reference", "cpu,reference"}) {
    const Folder folder;
    ConvertOptions options = m.write(folder);
    options.maxima["at.0"] = 0;  // what says 0 in ONNX is open
    Runner runner(options, backends);
    runner.set(0, {1, 2, 3, 4, 5, 6});
    runner.run();
    for (size_t o = 0; o < kNothing.size(); ++o) CHECK(runner.get_bytes(o).empty());
    CHECK(runner.get(kNothing.size()) == Floats{1, 2, 3, 4, 5, 6});
  }
}

TEST_CASE("ONNX operators that make something of nothing") {
  OnnxModel m = model_of_nothing();
  m.ints("pads", {1, 0, 0, 0});
  m.node("ReduceSum", {"cut", "zero"}, {"sum"});
  set_ints(m.node("ReduceProd", {"rest"}, {"product"}), "axes", {0});
  set_int(m.node("Concat", {"rest", "x", "cut"}, {"joined"}), "axis", 0);
  m.node("MatMul", {"reshaped", "expanded"}, {"zeros"});
  m.node("Pad", {"cut", "pads"}, {"padded"});
  m.node("ScatterND", {"x", "places", "rest"}, {"scattered"});
  m.constant("places", {0, 1}, onnx::TensorProto::INT64);
  m.node("Shape", {"cut"}, {"shape"});
  m.node("Size", {"cut"}, {"size"});
  m.output("sum", {1, 3});
  m.output("product", {1, 3});
  m.output("joined", {2, 3});
  m.output("zeros", {3, 3});
  m.output("padded", {1, 3});
  m.output("scattered", {2, 3});
  m.output("shape", {2}, onnx::TensorProto::INT64);
  m.output("size", {}, onnx::TensorProto::INT64);
  for (const char* backends : {"reference", "cpu,reference"}) {
    const Folder folder;
    ConvertOptions options = m.write(folder);
    options.maxima["at.0"] = 0;  // what says 0 in ONNX is open
    Runner runner(options, backends);
    runner.set(0, {1, 2, 3, 4, 5, 6});
    runner.run();
    const std::vector<Floats> expected = {{0, 0, 0}, {1, 1, 1}, {1, 2, 3, 4, 5, 6},
                                          Floats(9), {0, 0, 0}, {1, 2, 3, 4, 5, 6},
                                          {0, 3},    {0}};
    for (size_t o = 0; o < expected.size(); ++o) CHECK(runner.get(o) == expected[o]);
  }
}

TEST_CASE("what is found in constants may be nothing") {
  OnnxModel m(13);
  m.input("x", {2, 3});
  m.floats("mask", {2}, {0, 0});
  m.ints("flat", {-1});
  m.node("NonZero", {"mask"}, {"where"});
  m.node("Reshape", {"where", "flat"}, {"rows"});
  m.node("Gather", {"x", "rows"}, {"y"});
  m.output("y", {0, 3});
  const Folder folder;
  Runner runner(m.write(folder));
  runner.run();
  CHECK(runner.get_bytes(0).empty());
}

TEST_CASE("TensorFlow Lite operators that give nothing") {
  TfliteModel m;
  const int32_t x = m.input("x", {2, 3});
  const int32_t cut = m.output("cut", {2, 0});
  const int32_t y = m.output("y", {2, 3});
  m.node(TfliteOp::SLICE, {x, m.ints({0, 1}), m.ints({2, 0})}, {cut});
  tflite::ConcatenationOptionsT options;
  options.axis = 1;
  m.node(TfliteOp::CONCATENATION, {cut, x}, {y}, options);
  const Folder folder;
  Runner runner(m.write(folder));
  runner.set(0, {1, 2, 3, 4, 5, 6});
  runner.run();
  CHECK(runner.get_bytes(0).empty());
  CHECK(runner.get(1) == Floats{1, 2, 3, 4, 5, 6});
}

TEST_CASE("the command feeds, gives and compares what has no elements") {
  const test::Shell shell;
  OnnxModel m(13);
  m.input("x", {-1, 3});
  m.node("Relu", {"x"}, {"y"});
  m.output("y", {-1, 3});
  std::ofstream file(shell.path("m.onnx"), std::ios::binary);
  m.proto.SerializeToOstream(&file);
  file.close();
  REQUIRE(shell.run("convert m.onnx -o m.mdl --max N=0").status == 0);
  shell.write_npy("x.npy", MDL_FLOAT32, {0, 3}, Floats{});
  for (const char* to : {"y.npy", "y.csv", "y.bin"}) {
    INFO(to);
    REQUIRE(shell.run(std::string("run m.mdl --input x.npy --output ") + to).status == 0);
  }
  CHECK(tools::read_npy(shell.path("y.npy")).shape == std::vector<int64_t>{0, 3});
  CHECK(shell.text("y.csv").empty());
  CHECK(shell.text("y.bin").empty());
  CHECK(shell.run("run m.mdl --input y.csv").status == 0);
  CHECK(shell.run("run m.mdl --input y.bin").status == 0);
  CHECK(shell.json("inspect m.mdl")["inputs"][0]["shape"] == nlohmann::json({0, 3}));
  CHECK(!shell.json("compare m.mdl m.onnx --max N=0").contains("first"));
  CHECK(!shell.json("compare m.mdl y=y.npy --input x.npy").contains("first"));
}
