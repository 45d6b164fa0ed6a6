// SPDX-License-Identifier: Apache-2.0
// Models with graphs inside graphs: what the command tells of those.
#include "tests/graph/bodies.h"
#include "tests/command/shell.h"

namespace medulla::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// y = c ? z : relu(x), z what a loop adds up twice from x in int8.
void write_model(const Shell& shell) {
  ModelBuilder b;
  const int32_t c = b.input("c", {}, MDL_BOOL);
  const int32_t x = b.input("x", {2});
  control(b, "If", {c, x}, {{"y", {2}}}, {{"then_branch", index(1)}, {"else_branch", index(2)}});

  ModelBuilder then;
  then.model.graphs[0].name = "y.then";
  const int32_t q = then.quantized(then.input("x", {2}), "q", 0.5f);
  const int32_t real = then.node("DequantizeLinear", {q}, "real");
  control(then, "Loop", {-1, -1, real}, {{"z", {2}}},
          {{"body", index(3)}, {"carried", int64_t{1}}, {"limit", int64_t{2}}});
  ModelBuilder otherwise;
  otherwise.model.graphs[0].name = "y.else";
  otherwise.output(otherwise.node("Relu", {otherwise.input("x", {2})}, "plain"));
  ModelBuilder body;
  body.model.graphs[0].name = "z.body";
  body.input("i", {}, MDL_INT64);
  body.input("go", {}, MDL_BOOL);
  const int32_t sum = body.input("sum", {2});
  body.output(body.node("Add", {sum, body.constant("one", {2}, {1, 1})}, "more"));
  for (ModelBuilder* graph : {&then, &otherwise, &body}) add_body(b, *graph);
  tools::write_model(b.model, shell.path("m.mdl"));
}

TEST_CASE("inspect --ops lists what bodies need") {
  const Shell shell;
  write_model(shell);
  CHECK(shell.run("inspect m.mdl --ops").out ==
        "Add;DequantizeLinear;If;Loop;QuantizeLinear;Relu\n");
  CHECK(shell.json("inspect m.mdl")["operators"]["Relu"] == 1);
  CHECK(contains(shell.run("inspect m.mdl").out, " Add x1 "));
}

}  // namespace
}  // namespace medulla::test
