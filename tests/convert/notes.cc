// SPDX-License-Identifier: Apache-2.0
// What is noted of a conversion: what was not looked at, and what a user would not guess.
#include <limits>

#include "tests/catch.h"
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("nodes behind refused ones are checked as far as they can be, and counted") {
  OnnxModel m(13);
  m.input("x", {1, 2, 8});
  m.node("Nosuch", {"x"}, {"a"});
  m.node("Relu", {"a"}, {"b"});
  m.node("Neither", {"b"}, {"operator"});
  m.node("GridSample", {"b", "b"}, {"opset"});
  set_int(m.node("Softmax", {"b"}, {"name"}), "nosuch", 1);
  set_float(m.node("Softmax", {"b"}, {"type"}), "axis", 1);
  auto* choice = m.node("If", {"b"}, {"c"});
  for (const char* name : {"then_branch", "else_branch"}) {
    auto* attribute = choice->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    attribute->mutable_g()->add_output()->set_name("c");
    for (const char* op : {"Relu", name}) {
      auto* node = attribute->mutable_g()->add_node();
      node->set_op_type(op);
      node->add_input("b");
      node->add_output(op == std::string("Relu") ? "c" : "unknown");
    }
  }
  m.node("Relu", {"x"}, {"y"});
  m.node("Relu", {"c"}, {"z"});
  m.output("z", {-1, -1, -1});
  m.output("y", {1, 2, 8});
  m.proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  const Folder folder;
  const ConvertReport report = convert(m.write(folder));
  std::string all;
  for (const Refusal& refusal : report.refusals) all += refusal.text() + "\n";
  INFO(all);
  CHECK(report.refusals.size() == 7);
  for (const char* part :
       {"'a_node' (Nosuch", "'operator_node' (Neither", "'opset_node' (GridSample", "from opset 16",
        "'name_node' (Softmax", "nosuch", "'type_node' (Softmax", "axis",
        "'c_node/unknown' (then_branch", "'c_node/unknown' (else_branch"}) {
    INFO("should say: " << part);
    CHECK(all.find(part) != std::string::npos);
  }
  REQUIRE(report.notes.size() == 1);
  const std::string note = "nodes behind refused ones, whose shapes are not known: 4; ";
  CHECK(report.notes[0].substr(0, note.size()) == note);
}

TEST_CASE("what a user would not guess of a converted model is noted") {
  const Folder folder;
  OnnxModel m(13);
  m.input("x", {2});
  SECTION("an output that is an input is called otherwise") {
    m.output("x", {2});
    m.node("Relu", {"x"}, {"y"});
    m.output("y", {2});
    const ConvertReport report = convert(m.write(folder));
    CHECK(report.refusals.empty());
    CHECK(report.notes ==
          std::vector<std::string>{"output 'x' is called 'x.1', for an input is called as it is"});
  }
  SECTION("an initializer holds NaN") {
    m.floats("w", {2}, {std::numeric_limits<float>::infinity(), 1});
    m.floats("bad", {2}, {std::numeric_limits<float>::quiet_NaN(), 1});
    m.bytes("half", {1}, onnx::TensorProto::FLOAT16, {0x7e00});
    m.node("Mul", {"x", "w"}, {"z"});
    m.node("Mul", {"z", "bad"}, {"y"});
    m.output("y", {2});
    const ConvertReport report = convert(m.write(folder));
    CHECK(report.refusals.empty());
    CHECK(report.notes ==
          std::vector<std::string>{"initializer 'bad' holds NaN", "initializer 'half' holds NaN"});
  }
}
