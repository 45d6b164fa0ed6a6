// SPDX-License-Identifier: Apache-2.0
// Dtypes and shapes that a file declares and does not keep, in bodies and at the graph's ends; and
// bodies whose nodes wait for one another.
#include "tests/convert/onnx_body.h"
#include "tests/convert/refused.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// y: `flag` ? a node of that body : x.
OnnxModel if_of(const Body& then_body) {
  OnnxModel m(13);
  m.input("x", {2});
  m.input("flag", {}, kBool);
  add_if(m, "flag", "y", then_body, one_node("Relu", {"x"}, "b"));
  m.output("y", {2});
  return m;
}

// y: x after three iterations of that body.
OnnxModel loop_of(const Body& body) {
  OnnxModel m(13);
  m.input("x", {2});
  scalar(m, "trips", 3);
  set_graph(m.node("Loop", {"trips", "", "x"}, {"y"}), "body", body);
  m.output("y", {-1});
  return m;
}

}  // namespace

TEST_CASE("what a body declares is told with its path where its nodes make something else") {
  SECTION("the output of a branch") {
    check_refused(if_of(one_node("Neg", {"x"}, "a", {1, 2})),
                  {"'y_node.then/a_node' (Neg", "'a' is declared [1,2], its node makes [2]"});
  }
  SECTION("its dtype") {
    Body body("then");
    body.node("Neg", {"x"}, {"a"});
    body.output("a", {2}, kInt64);
    check_refused(if_of(body),
                  {"'y_node.then/a_node' (Neg", "is declared int64, its node makes float32"});
  }
  SECTION("an output that the branch hands on") {
    Body body("then");
    body.output("x", {3});
    check_refused(if_of(body), {"'y_node' (If", "output 'x' is declared [3], is [2]"});
  }
  SECTION("a tensor inside a loop") {
    Body body = loop_body();
    body.input("a", {2});
    body.node("Neg", {"a"}, {"middle"});
    body.value(body.proto.mutable_graph()->add_value_info(), "middle", {9, 9});
    body.node("Relu", {"middle"}, {"next"});
    body.output("next", {2});
    check_refused(loop_of(body), {"'y_node.body/middle_node' (Neg", "[9,9], its node makes [2]"});
  }
  SECTION("the input of a loop") {
    for (const bool dtype : {false, true}) {
      Body body = loop_body();
      body.input("a", {dtype ? 2 : 7}, dtype ? kInt64 : onnx::TensorProto::FLOAT);
      body.node("Neg", {"a"}, {"next"});
      body.output("next", {-1}, onnx::TensorProto::UNDEFINED);
      check_refused(loop_of(body), {"'y_node' (Loop", "input 'a' of its body is declared ",
                                    dtype ? "int64, is given float32" : "[7], is given [2]"});
    }
  }
  SECTION("in a loop in a branch") {
    Body inner = loop_body();
    inner.input("a", {2});
    inner.node("Neg", {"a"}, {"next"});
    inner.output("next", {4});
    Body body("then");
    scalar(body, "trips", 3);
    set_graph(body.node("Loop", {"trips", "", "x"}, {"r"}), "body", inner);
    body.output("r", {2});
    check_refused(if_of(body),
                  {"'y_node.then/r_node.body/next_node' (Neg", "[4], its node makes [2]"});
  }
  SECTION("in the branch that a constant takes") {
    OnnxModel m = if_of(one_node("Neg", {"x"}, "a", {1, 2}));
    m.proto.mutable_graph()->mutable_input()->RemoveLast();
    m.bytes("flag", {}, kBool, {1});
    check_refused(m, {"'y_node/a_node' (Neg", "[1,2], its node makes [2]"});
  }
}

TEST_CASE("a name means in a body what the body declares") {
  // 'a' is of the graph too, in another shape.
  OnnxModel m = if_of(one_node("Neg", {"x"}, "a"));
  m.floats("one", {1, 1}, {1});
  m.node("Add", {"x", "one"}, {"a"});
  m.value(m.proto.mutable_graph()->add_value_info(), "a", {1, 2});
  m.output("a", {1, 2});
  for (const bool constant : {false, true}) {
    if (constant) {
      m.proto.mutable_graph()->mutable_input()->RemoveLast();
      m.bytes("flag", {}, kBool, {1});
    }
    const Folder folder;
    const ConvertReport report = convert(m.write(folder));
    for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
    CHECK(report.refusals.empty());
  }
}

TEST_CASE("a declared extent has to be possible where it varies") {
  OnnxModel m(13);
  m.input("x", {-1, 3});
  m.node("Relu", {"x"}, {"y"});
  for (const int64_t extent : {7, 4, -1}) {
    m.proto.mutable_graph()->clear_output();
    m.output("y", {extent, 3});
    const Folder folder;
    ConvertOptions options = m.write(folder);
    options.maxima["N"] = 4;
    const ConvertReport report = convert(options);
    INFO(extent);
    REQUIRE(report.refusals.size() == (extent > 4 ? 1 : 0));
    if (extent <= 4) continue;
    CHECK(report.refusals[0].reason == "output 'y' is declared [7,3], its node makes [<=4,3]");
  }
}

TEST_CASE("an input and the initializer of its name have one type") {
  for (const bool dtype : {false, true}) {
    OnnxModel m(13);
    m.input("x", {2, 3});
    m.input("k", {dtype ? 3 : 7}, dtype ? kInt64 : onnx::TensorProto::FLOAT);
    m.floats("k", {3}, {1, 2, 3});
    m.node("Add", {"x", "k"}, {"y"});
    m.output("y", {2, 3});
    check_refused(m, {"'k' (input", dtype ? "is declared int64, its initializer is float32"
                                          : "is declared [7], its initializer is [3]"});
  }
}

TEST_CASE("a cycle in a body is walked, a wrong order named") {
  Body body = loop_body();
  body.input("a", {2});
  SECTION("a cycle") {
    body.node("Add", {"a", "q"}, {"p"});
    body.node("Relu", {"p"}, {"q"});
    body.output("q", {2});
    check_refused(loop_of(body),
                  {"'y_node.body/p_node' (Add", "cycle: 'p_node' reads 'q_node' reads 'p_node'"});
  }
  SECTION("a wrong order") {
    body.node("Add", {"a", "p"}, {"q"});
    body.node("Relu", {"a"}, {"p"});
    body.output("q", {2});
    check_refused(loop_of(body),
                  {"'y_node.body/q_node' (Add", "'p_node' makes, and that is listed behind it"});
  }
  SECTION("of the graph around it") {
    body.node("Add", {"a", "late"}, {"q"});
    body.output("q", {2});
    OnnxModel m = loop_of(body);
    m.node("Relu", {"x"}, {"late"});
    check_refused(m, {"'y_node.body/q_node' (Add", "'late_node' makes, and that is listed behind"});
  }
}
