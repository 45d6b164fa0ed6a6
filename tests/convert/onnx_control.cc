// SPDX-License-Identifier: Apache-2.0
// If and Loop in one another, what they are told by options, and what is refused inside.
#include <functional>

#include "tests/convert/onnx_body.h"
#include "tests/convert/refused.h"
#include "tests/convert/runner.h"
#include "tests/convert/stream.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

using Floats = std::vector<float>;

// y: x, of which each iteration below `turn` adds `step` and each other takes it away.
OnnxModel if_in_loop() {
  OnnxModel m(13);
  m.input("x", {2});
  m.input("turn", {}, kInt64);
  m.input("trips", {}, kInt64);
  m.floats("step", {2}, {1, 10});
  m.bytes("yes", {}, kBool, {1});
  Body body = loop_body();
  body.input("sum", {2});
  body.node("Less", {"i", "turn"}, {"early"});
  add_if(body, "early", "next", one_node("Add", {"sum", "step"}, "more"),
         one_node("Sub", {"sum", "step"}, "less"));
  body.output("next", {2});
  set_graph(m.node("Loop", {"trips", "yes", "x"}, {"y"}), "body", body);
  m.output("y", {2});
  return m;
}

// y: `flag` ? x doubled three times : x added to itself as often as `trips` says.
OnnxModel loop_in_if() {
  OnnxModel m(13);
  m.input("x", {2});
  m.input("flag", {}, kBool);
  m.input("trips", {}, kInt64);
  m.bytes("yes", {}, kBool, {1});
  Body doubling = loop_body();
  doubling.input("a", {2});
  doubling.node("Add", {"a", "a"}, {"twice"});
  doubling.output("twice", {2});
  Body adding = loop_body();
  adding.input("b", {2});
  adding.node("Add", {"b", "x"}, {"plus"});
  adding.output("plus", {2});
  Body then_body("then");
  scalar(then_body, "three", 3);
  set_graph(then_body.node("Loop", {"three", "yes", "x"}, {"doubled"}), "body", doubling);
  then_body.output("doubled", {2});
  Body else_body("else");
  set_graph(else_body.node("Loop", {"trips", "yes", "x"}, {"added"}), "body", adding);
  else_body.output("added", {2});
  add_if(m, "flag", "y", then_body, else_body);
  m.output("y", {2});
  return m;
}

Array scalar_array(mdl_dtype dtype, int64_t value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  return {dtype, {}, {first, first + mdl_dtype_bits(dtype) / 8}};
}

}  // namespace

TEST_CASE("an If in a Loop runs the branch of each iteration") {
  const Folder folder;
  ConvertOptions options = if_in_loop().write(folder);
  options.maxima["trips"] = 8;
  for (const char* backends : {"reference", "cpu,reference"}) {
    INFO(backends);
    Runner runner(options, backends);
    for (const int64_t trips : {0, 1, 5, 8}) {
      for (const int64_t turn : {0, 2, 100}) {
        INFO("trips " << trips << ", turn " << turn);
        runner.set(0, {3, 4});
        runner.set_bytes(1, &turn, sizeof turn);
        runner.set_bytes(2, &trips, sizeof trips);
        runner.run();
        const auto up = static_cast<float>(2 * std::min(trips, turn) - trips);
        CHECK(runner.get(0) == Floats{3 + up, 4 + 10 * up});
      }
    }
  }
}

TEST_CASE("Loops in an If run in the branch that is taken") {
  const Folder folder;
  ConvertOptions options = loop_in_if().write(folder);
  options.maxima["trips"] = 8;
  for (const char* backends : {"reference", "cpu,reference"}) {
    INFO(backends);
    Runner runner(options, backends);
    for (const uint8_t flag : {uint8_t{0}, uint8_t{1}}) {
      const int64_t trips = 4;
      runner.set(0, {1, -2});
      runner.set_bytes(1, &flag, sizeof flag);
      runner.set_bytes(2, &trips, sizeof trips);
      runner.run();
      CHECK(runner.get(0) == (flag != 0 ? Floats{8, -16} : Floats{5, -10}));
    }
  }
}

TEST_CASE("a bound is given to a Loop inside a body, by its trip count or its node") {
  const Folder folder;
  for (const char* name : {"trips", "added_node"}) {
    ConvertOptions options = loop_in_if().write(folder);
    options.maxima[name] = 2;
    Runner runner(options);
    const uint8_t flag = 0;
    const int64_t trips = 2;
    runner.set(0, {1, -2});
    runner.set_bytes(1, &flag, sizeof flag);
    runner.set_bytes(2, &trips, sizeof trips);
    runner.run();
    CHECK(runner.get(0) == Floats{3, -6});
  }
  ConvertOptions options = loop_in_if().write(folder);
  options.maxima["rounds"] = 2;
  CHECK(convert(options).refusals.at(0).text().find("there is: added_node, doubled_node, three") !=
        std::string::npos);
  // Without a bound, the Loop is named with the body in which it stands; and what would help.
  check_refused(loop_in_if(), {"'y_node.else/added_node' (Loop", "has no bound",
                               "--max trips=MAXIMUM", "--fix trips=FILE.npy"});
}

TEST_CASE("a bounded dimension is known inside bodies") {
  OnnxModel m(13);
  m.input("x", {1, -1});
  m.input("flag", {}, kBool);
  add_if(m, "flag", "y", one_node("Relu", {"x"}, "a", {1, -1}),
         one_node("Neg", {"x"}, "b", {1, -1}));
  m.output("y", {1, -1});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  CHECK(convert(options).refusals.at(0).text().find("--max N=MAXIMUM") != std::string::npos);
  options.maxima["N"] = 3;
  Runner runner(options);
  for (const uint8_t flag : {uint8_t{0}, uint8_t{1}}) {
    runner.set(0, {-1, 0, 2});
    runner.set_bytes(1, &flag, sizeof flag);
    runner.run();
    CHECK(runner.get(0) == (flag != 0 ? Floats{0, 0, 2} : Floats{1, 0, -2}));
  }
}

TEST_CASE("the maximum of an extent bounds the Loop that counts to it") {
  OnnxModel m(13);
  m.input("x", {-1});
  m.node("Shape", {"x"}, {"shape"});
  m.constant("zero", {}, onnx::TensorProto::INT64)->add_int64_data(0);
  m.node("Gather", {"shape", "zero"}, {"count"});
  m.bytes("yes", {}, kBool, {1});
  m.floats("start", {1}, {0});
  Body body = loop_body();
  body.input("sum", {1});
  body.node("Gather", {"x", "i"}, {"element"});
  body.node("Add", {"sum", "element"}, {"next"});
  body.output("next", {1});
  set_graph(m.node("Loop", {"count", "yes", "start"}, {"y"}), "body", body);
  m.output("y", {1});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = 4;
  REQUIRE(convert(options).refusals.empty());
  Stream session(options.output, nullptr);
  CHECK(session.feed({1, 2, 4}, {3}) == Floats{7});
  CHECK(session.feed({1, 2, 4, 8}, {4}) == Floats{15});
}

TEST_CASE("what is refused in a body is named with the bodies around it, all at once") {
  OnnxModel m(13);
  m.input("x", {2});
  m.input("flag", {}, kBool);
  scalar(m, "trips", 4);
  m.bytes("yes", {}, kBool, {1});
  Body body = loop_body();
  body.input("a", {2});
  add_if(body, "flag", "next", one_node("RandomNormalLike", {"a"}, "r"),
         one_node("NoSuchThing", {"a"}, "s"));
  body.output("next", {2});
  set_graph(m.node("Loop", {"trips", "yes", "x"}, {"y"}), "body", body);
  m.output("y", {2});
  const std::vector<Refusal> refusals = refusals_of(m);
  for (const Refusal& refusal : refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(refusals.size() == 2);
  CHECK(refusals[0].node == "y_node.body/next_node.then/r_node");
  CHECK(refusals[0].op == "RandomNormalLike");
  CHECK(refusals[1].node == "y_node.body/next_node.else/s_node");
  CHECK(refusals[1].op == "NoSuchThing");
}

TEST_CASE("a condition that is known leaves one branch, which may be fixed") {
  // As models for 8 and 16 kHz ask in one file.
  OnnxModel m(13);
  m.input("x", {1, 4});
  m.input("sr", {}, kInt64);
  scalar(m, "wide", 16000);
  m.node("Equal", {"sr", "wide"}, {"is_wide"});
  Body at_16k("at_16k"), at_8k("at_8k");
  at_16k.floats("w", {4, 2}, {1, 0, 0, 1, 1, 0, 0, 1});
  at_16k.node("MatMul", {"x", "w"}, {"h16"});
  at_16k.node("Relu", {"h16"}, {"y16"});
  at_16k.output("y16", {1, 2});
  at_8k.floats("w", {4, 2}, {1, 1, 1, 1, -1, 0, -1, 0});
  at_8k.node("MatMul", {"x", "w"}, {"h8"});
  at_8k.node("Sigmoid", {"h8"}, {"y8"});
  at_8k.output("y8", {1, 2});
  add_if(m, "is_wide", "y", at_16k, at_8k);
  m.output("y", {1, 2});
  const Folder folder;
  const ConvertOptions options = m.write(folder);
  const Floats x = {1, -2, 3, -4};
  const Floats at[] = {{4, 0}, {0.5f, 0.2689414f}};
  for (const char* backends : {"reference", "cpu,reference"}) {
    Runner runner(options, backends);
    for (const int64_t rate : {16000, 8000, 16000}) {
      INFO(backends << ", rate " << rate);
      runner.set(0, x);
      runner.set_bytes(1, &rate, sizeof rate);
      runner.run();
      const Floats& expected = at[rate == 16000 ? 0 : 1];
      for (size_t i = 0; i < 2; ++i) CHECK(std::abs(runner.get(0)[i] - expected[i]) < 1e-6f);
    }
    for (const int64_t rate : {16000, 8000}) {
      ConvertOptions fixed = options;
      fixed.fixed["sr"] = scalar_array(MDL_INT64, rate);
      const ConvertReport report = convert(fixed);
      REQUIRE(report.refusals.empty());
      CHECK(report.nodes_after.count("If") == 0);
      CHECK(report.nodes_after.count(rate == 16000 ? "Sigmoid" : "Relu") == 0);
      Runner one(fixed, backends);
      CHECK(one.inputs() == 1);
      one.set(0, x);
      one.run();
      const Floats& expected = at[rate == 16000 ? 0 : 1];
      for (size_t i = 0; i < 2; ++i) CHECK(std::abs(one.get(0)[i] - expected[i]) < 1e-6f);
    }
  }
}

TEST_CASE("a trip count that is computed from inputs can be fixed by all of them") {
  OnnxModel m(13);
  m.input("x", {2});
  m.input("from", {}, kInt64);
  m.input("to", {}, kInt64);
  m.bytes("yes", {}, kBool, {1});
  m.node("Sub", {"to", "from"}, {"trips"});
  Body body = loop_body();
  body.input("a", {2});
  body.node("Add", {"a", "x"}, {"next"});
  body.node("Identity", {"a"}, {"scan"});
  body.output("next", {2});
  body.output("scan", {2});
  set_graph(m.node("Loop", {"trips", "yes", "x"}, {"y", "all"}), "body", body);
  m.output("y", {2});
  m.output("all", {3, 2});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 1);
  INFO(report.refusals[0].text());
  CHECK(report.refusals[0].fixable == std::vector<std::string>{"from", "to"});
  CHECK(report.refusals[0].rewrite.find("--fix from=FILE.npy --fix to=FILE.npy") !=
        std::string::npos);
  options.fixed["from"] = scalar_array(MDL_INT64, 2);
  options.fixed["to"] = scalar_array(MDL_INT64, 5);
  Runner runner(options);
  runner.set(0, {1, 2});
  runner.run();
  CHECK(runner.get(0) == Floats{4, 8});
  CHECK(runner.get(1) == Floats{1, 2, 2, 4, 3, 6});
}

namespace {

// y: the sums of x's first 1, 2, ... `trips` numbers, with the Slice's ends from the iteration.
OnnxModel slicing_loop(int64_t trips) {
  OnnxModel m(13);
  m.input("x", {5});
  scalar(m, "trips", trips);
  m.bytes("yes", {}, kBool, {1});
  m.floats("nothing", {1}, {0});
  m.ints("first", {0});
  m.ints("one", {1});
  Body body = loop_body();
  body.input("a", {1});
  body.node("Unsqueeze", {"i", "first"}, {"start"});
  body.node("Add", {"start", "one"}, {"end"});
  body.node("Slice", {"x", "start", "end"}, {"part"});
  body.node("Add", {"a", "part"}, {"next"});
  body.output("next", {1});
  body.output("next", {1});
  set_graph(m.node("Loop", {"trips", "yes", "nothing"}, {"y", "sums"}), "body", body);
  m.output("y", {1});
  m.output("sums", {trips, 1});
  return m;
}

}  // namespace

TEST_CASE("a Loop whose body computes parameters from the iteration is written out") {
  const Folder folder;
  const ConvertOptions options = slicing_loop(4).write(folder);
  const ConvertReport report = convert(options);
  CHECK(report.nodes_after.count("Loop") == 0);
  CHECK(report.notes.back() == "Loop 'y_node' is written out, once for each iteration");
  for (const char* backends : {"reference", "cpu,reference"}) {
    Runner runner(options, backends);
    runner.set(0, {1, 2, 3, 4, 5});
    runner.run();
    CHECK(runner.get(0) == Floats{10});
    CHECK(runner.get(1) == Floats{1, 3, 6, 10});
  }
  check_refused(slicing_loop(100000), {"'y_node.body/part_node' (Slice", "starts is computed"});
}

TEST_CASE("a Loop whose count is known may carry a tensor that grows") {
  OnnxModel m(13);
  m.input("x", {1, 2});
  scalar(m, "trips", 3);
  m.bytes("yes", {}, kBool, {1});
  Body body = loop_body();
  body.input("list", {-1, 2});
  auto* concat = body.node("Concat", {"list", "x"}, {"longer"});
  set_int(concat, "axis", 0);
  body.output("longer", {-1, 2});
  set_graph(m.node("Loop", {"trips", "yes", "x"}, {"y"}), "body", body);
  m.output("y", {4, 2});
  const Folder folder;
  Runner runner(m.write(folder));
  runner.set(0, {1, 2});
  runner.run();
  CHECK(runner.get(0) == Floats{1, 2, 1, 2, 1, 2, 1, 2});
  m.proto.mutable_graph()->clear_initializer();
  m.bytes("yes", {}, kBool, {1});
  m.input("trips", {}, kInt64);
  ConvertOptions options = m.write(folder);
  options.maxima["trips"] = 3;
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 1);
  INFO(report.refusals[0].text());
  CHECK(report.refusals[0].reason.find("carries 'list'") != std::string::npos);
  CHECK(report.refusals[0].rewrite == "carry a tensor of one shape");
}
