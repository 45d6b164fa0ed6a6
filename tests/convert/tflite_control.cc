// SPDX-License-Identifier: Apache-2.0
// IF and WHILE of TensorFlow Lite.
#include "tests/catch.h"
#include "tests/convert/runner.h"
#include "tests/convert/tflite_model.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

using Floats = std::vector<float>;

// total and count, until total is no longer below the limit: total + step, count + 1.
TfliteModel counting_model() {
  TfliteModel m;
  const int32_t total = m.input("total", {1});
  const int32_t step = m.input("step", {1});
  const int32_t zero = m.floats({1}, {0});
  const int32_t limit = m.floats({1}, {10});
  const int32_t end = m.output("end", {1});
  const int32_t rounds = m.output("rounds", {1});
  tflite::WhileOptionsT loop;
  loop.cond_subgraph = 1;
  loop.body_subgraph = 2;
  m.node(TfliteOp::WHILE, {total, step, zero, limit},
         {end, m.add("same step", {1}), rounds, m.add("same limit", {1})}, loop);
  m.add_graph();
  std::vector<int32_t> in;
  for (const char* name : {"total", "step", "count", "limit"}) in.push_back(m.input(name, {1}));
  m.node(TfliteOp::LESS, {in[0], in[3]}, {m.output("less", {1}, TfliteType::BOOL)});
  m.add_graph();
  in.clear();
  for (const char* name : {"total", "step", "count", "limit"}) in.push_back(m.input(name, {1}));
  const int32_t one = m.floats({1}, {1});
  m.node(TfliteOp::ADD, {in[0], in[1]}, {m.output("next", {1})}, tflite::AddOptionsT());
  m.graph().outputs.push_back(in[1]);
  m.node(TfliteOp::ADD, {in[2], one}, {m.output("more", {1})}, tflite::AddOptionsT());
  m.graph().outputs.push_back(in[3]);
  return m;
}

}  // namespace

TEST_CASE("WHILE runs as long as its condition says") {
  const TfliteModel m = counting_model();
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["end"] = 20;
  for (const char* backends : {"reference", "cpu,reference"}) {
    Runner runner(options, backends);
    runner.set(0, {0});
    runner.set(1, {4});
    runner.run();
    CHECK(runner.get(0) == Floats{12});
    CHECK(runner.get(1) == Floats{3});
    runner.set(0, {10});
    runner.run();
    CHECK(runner.get(0) == Floats{10});
    CHECK(runner.get(1) == Floats{0});
  }
}

TEST_CASE("WHILE without a bound is refused") {
  const Folder folder;
  ConvertReport report;
  import_and_optimize(counting_model().write(folder), report);
  REQUIRE(report.refusals.size() == 1);
  CHECK(report.refusals[0].node == "end");
  CHECK(report.refusals[0].rewrite == "give one with --max end=MAXIMUM");
}

TEST_CASE("IF runs the branch that its condition names") {
  TfliteModel m;
  const int32_t x = m.input("x", {2});
  const int32_t limit = m.floats({1}, {0});
  const int32_t first = m.add("first", {1});
  tflite::ReducerOptionsT keep;
  keep.keep_dims = true;
  m.node(TfliteOp::SUM, {x, m.ints({0})}, {first}, keep);
  const int32_t less = m.add("less", {1}, TfliteType::BOOL);
  m.node(TfliteOp::LESS, {first, limit}, {less});
  tflite::IfOptionsT options;
  options.then_subgraph = 1;
  options.else_subgraph = 2;
  m.node(TfliteOp::IF, {less, x}, {m.output("y", {2})}, options);
  m.add_graph();
  const int32_t a = m.input("a", {2});
  m.node(TfliteOp::NEG, {a}, {m.output("minus", {2})});
  m.add_graph();
  const int32_t b = m.input("b", {2});
  m.node(TfliteOp::ADD, {b, b}, {m.output("twice", {2})}, tflite::AddOptionsT());
  const Folder folder;
  Runner runner(m.write(folder));
  runner.set(0, {-3, 1});
  runner.run();
  CHECK(runner.get(0) == Floats{3, -1});
  runner.set(0, {3, 1});
  runner.run();
  CHECK(runner.get(0) == Floats{6, 2});
}

TEST_CASE("subgraphs that call themselves are refused") {
  TfliteModel m = counting_model();
  m.at = 2;
  tflite::WhileOptionsT loop;
  loop.cond_subgraph = 1;
  loop.body_subgraph = 2;
  std::vector<int32_t> in = m.graph().inputs, out;
  for (int i = 0; i < 4; ++i) out.push_back(m.add("inner", {1}));
  m.node(TfliteOp::WHILE, in, out, loop);
  const Folder folder;
  ConvertReport report;
  import_and_optimize(m.write(folder), report);
  REQUIRE(report.refusals.size() == 1);
  CHECK(report.refusals[0].reason == "its subgraph stands in 4 others");
}

TEST_CASE("what both branches of an IF cannot take is told at once, with their paths") {
  TfliteModel m;
  const int32_t flag = m.input("flag", {1}, TfliteType::BOOL), x = m.input("x", {2});
  tflite::IfOptionsT options;
  options.then_subgraph = 1;
  options.else_subgraph = 2;
  m.node(TfliteOp::IF, {flag, x}, {m.output("y", {2})}, options);
  for (const char* name : {"r", "s"}) {
    m.add_graph();
    const int32_t a = m.input("a", {2});
    m.node(TfliteOp::HASHTABLE_LOOKUP, {a}, {m.output(name, {2})});
  }
  const Folder folder;
  const ConvertReport report = convert(m.write(folder));
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.size() == 2);
  CHECK(report.refusals[0].node == "y.then/r");
  CHECK(report.refusals[1].node == "y.else/s");
}

TEST_CASE("what a WHILE cannot take is told with its path") {
  for (const size_t part : {1, 2}) {
    TfliteModel m = counting_model();
    auto& code = *m.proto.operator_codes[part];
    code.builtin_code = TfliteOp::HASHTABLE_LOOKUP;
    code.old_builtin_code = static_cast<int8_t>(TfliteOp::HASHTABLE_LOOKUP);
    const Folder folder;
    const ConvertReport report = convert(m.write(folder));
    REQUIRE(report.refusals.size() == 1);
    CHECK(report.refusals[0].node == (part == 1 ? "end.condition/less" : "end.body/next"));
  }
}
