// SPDX-License-Identifier: Apache-2.0
// Functions: operators that a model, or ONNX, writes by others.
#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// A function `name` of x, in the domain "mine".
onnx::FunctionProto* add_function(OnnxModel& model, const std::string& name, int64_t opset) {
  if (model.proto.functions_size() == 0) {
    model.proto.set_ir_version(8);
    auto* import = model.proto.add_opset_import();
    import->set_domain("mine");
    import->set_version(1);
  }
  auto* function = model.proto.add_functions();
  function->set_domain("mine");
  function->set_name(name);
  function->add_input("x");
  function->add_output("y");
  function->add_opset_import()->set_version(opset);
  auto* mine = function->add_opset_import();
  mine->set_domain("mine");
  mine->set_version(1);
  return function;
}

onnx::NodeProto* add_node(onnx::FunctionProto* function, const std::string& op,
                          const std::vector<std::string>& inputs, const std::string& output) {
  auto* node = function->add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

Floats run(const OnnxModel& model, const Floats& x, ConvertReport* report) {
  const Folder folder;
  const Model result = import_and_optimize(model.write(folder), *report);
  if (!report->refusals.empty()) return {};
  return tools::to_floats(run_graph(result.main(), {as_bytes(x)})[0]);
}

std::string first_text(const ConvertReport& report) {
  return report.refusals.empty() ? "" : report.refusals[0].text();
}

}  // namespace

TEST_CASE("a model's own functions are expanded, one in the other, with their attributes") {
  OnnxModel model(17);
  auto* scaled = add_function(model, "Scaled", 17);
  scaled->add_attribute("slope");
  auto* leaky = add_node(scaled, "LeakyRelu", {"x"}, "t");
  auto* alpha = leaky->add_attribute();
  alpha->set_name("alpha");
  alpha->set_ref_attr_name("slope");
  alpha->set_type(onnx::AttributeProto::FLOAT);
  add_node(scaled, "Add", {"t", "x"}, "y");
  auto* twice = add_function(model, "Twice", 17);
  auto* inner = add_node(twice, "Scaled", {"x"}, "t");
  inner->set_domain("mine");
  set_float(inner, "slope", 0.5f);
  auto* outer = add_node(twice, "Scaled", {"t"}, "y");
  outer->set_domain("mine");
  set_float(outer, "slope", 3.0f);
  model.input("x", {2});
  model.output("z", {2});
  model.node("Twice", {"x"}, {"z"})->set_domain("mine");
  ConvertReport report;
  // t = x + leaky(x), -3 and 4; then -3 * 3 - 3 and 4 + 4.
  CHECK(run(model, {-2, 2}, &report) == Floats{-12, 8});
  CHECK(first_text(report) == "");
}

TEST_CASE("a function keeps the opset that it is written for") {
  OnnxModel model(18);  // where ReduceMean's axes are an input
  auto* mean = add_function(model, "RowMean", 13);
  set_ints(add_node(mean, "ReduceMean", {"x"}, "y"), "axes", {1});
  model.input("x", {2, 2});
  model.output("z", {2, 1});
  model.node("RowMean", {"x"}, {"z"})->set_domain("mine");
  ConvertReport report;
  CHECK(run(model, {1, 3, 5, 7}, &report) == Floats{2, 6});
  CHECK(first_text(report) == "");
}

TEST_CASE("ONNX's own functions stand in for operators without a row") {
  OnnxModel model(13);
  model.input("x", {1, 2, 1, 2});
  model.output("y", {1, 2, 1, 2});
  model.node("MeanVarianceNormalization", {"x"}, {"y"});
  ConvertReport report;
  const Floats y = run(model, {1, 3, 5, 9}, &report);
  CHECK(first_text(report) == "");
  REQUIRE(y.size() == 4);
  CHECK(y[0] == Approx(-1).epsilon(1e-5));
  CHECK(y[3] == Approx(1).epsilon(1e-5));
}

TEST_CASE("a function that calls itself is refused, and one inside is named after its call") {
  OnnxModel model(17);
  auto* again = add_function(model, "Again", 17);
  add_node(again, "Again", {"x"}, "y")->set_domain("mine");
  model.input("x", {2});
  model.output("z", {2});
  model.node("Again", {"x"}, {"z"})->set_domain("mine");
  ConvertReport report;
  run(model, {1, 2}, &report);
  CHECK(first_text(report).find("function 'Again' calls itself") != std::string::npos);

  OnnxModel random(17);
  add_node(add_function(random, "Noise", 17), "RandomNormalLike", {"x"}, "y")->set_name("draw");
  random.input("x", {2});
  random.output("z", {2});
  random.node("Noise", {"x"}, {"z"})->set_domain("mine");
  ConvertReport other;
  run(random, {1, 2}, &other);
  INFO(first_text(other));
  CHECK(
      first_text(other).find("'z_node/draw' (RandomNormalLike, opset 17): draws random numbers") !=
      std::string::npos);
}

TEST_CASE("functions that grow without measure are refused") {
  OnnxModel model(17);
  std::string called = "Abs";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "F" + std::to_string(i);
    auto* function = add_function(model, name, 17);
    add_node(function, called, {"x"}, "t")->set_domain(i > 0 ? "mine" : "");
    add_node(function, called, {"t"}, "y")->set_domain(i > 0 ? "mine" : "");
    called = name;
  }
  model.input("x", {2});
  model.output("z", {2});
  model.node(called, {"x"}, {"z"})->set_domain("mine");
  ConvertReport report;
  run(model, {1, 2}, &report);
  CHECK(first_text(report).find("more than 100000 nodes") != std::string::npos);
}

TEST_CASE("what is refused on purpose says why") {
  for (const auto& [op, why] : std::vector<std::pair<std::string, std::string>>{
           {"RandomUniformLike", "draws random numbers"},
           {"SplitToSequence", "works on a sequence"},
           {"Optional", "works on an optional value"}}) {
    OnnxModel model(15);
    model.input("x", {2});
    model.output("y", {2});
    model.node(op, {"x"}, {"y"});
    ConvertReport report;
    run(model, {1, 2}, &report);
    INFO(first_text(report));
    CHECK(first_text(report).find(why) != std::string::npos);
  }
}
