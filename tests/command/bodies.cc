// SPDX-License-Identifier: Apache-2.0
// Models with graphs inside graphs: what the command tells of those.
#include "tests/graph/bodies.h"
#include <algorithm>

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

// The one of `rows` that is called so, or null.
nlohmann::json row(const nlohmann::json& rows, const std::string& name) {
  for (const nlohmann::json& each : rows) {
    if (each["name"] == name) return each;
  }
  return nullptr;
}

TEST_CASE("inspect tells of the nodes and tensors of bodies, behind their paths") {
  const Shell shell;
  write_model(shell);
  const nlohmann::json report = shell.json("inspect m.mdl");
  const nlohmann::json& nodes = report["nodes"];
  CHECK(nodes[0]["name"] == "y");
  CHECK(nodes[0]["attributes"]["else_branch"] == "y.else");
  CHECK(row(nodes, "y.then/z")["attributes"]["body"] == "y.then/z.body");
  CHECK(row(nodes, "y.then/z.body/more")["inputs"] ==
        nlohmann::json({"y.then/z.body/sum", "y.then/z.body/one"}));
  CHECK(row(report["tensors"], "y.then/q")["scales"] == nlohmann::json::array({0.5}));
  CHECK(row(report["tensors"], "y.then/z.body/one").contains("offset"));
  CHECK(row(report["float_nodes"], "y.else/plain")["reason"] ==
        "no DequantizeLinear before its input 'x'");
  CHECK(row(report["float_nodes"], "y.then/z.body/more")["op"] == "Add");
  CHECK(row(report["float_nodes"], "y.then/z").is_null());

  const std::string text = shell.run("inspect m.mdl --tensors").out;
  INFO(text);
  CHECK(contains(text, "  y.then/z.body/one  "));
  CHECK(contains(text, "Relu 'y.else/plain' [2]"));
  CHECK(contains(text, "Add 'y.then/z.body/more' [2]"));
  CHECK(contains(text, "Relu 'y.else/plain': no DequantizeLinear"));
}

TEST_CASE("inspect counts transposes in bodies, those at their ends as inside") {
  const Shell shell;
  ModelBuilder b;
  const ModelBuilder::Attributes turned = {{"perm", std::vector<int64_t>{1, 0}}};
  const int32_t x = b.node("Transpose", {b.input("x", {3, 2})}, "turned", turned);
  control(b, "Loop", {-1, -1, x}, {{"y", {2, 3}}},
          {{"body", index(1)}, {"carried", int64_t{1}}, {"limit", int64_t{2}}});
  ModelBuilder body;
  body.input("i", {}, MDL_INT64);
  body.input("go", {}, MDL_BOOL);
  const int32_t across = body.node("Transpose", {body.input("x", {2, 3})}, "across", turned);
  const int32_t relu = body.node("Relu", {across}, "relu");
  body.output(body.node("Transpose", {relu}, "back", turned));
  add_body(b, body);
  tools::write_model(b.model, shell.path("m.mdl"));
  const nlohmann::json report = shell.json("inspect m.mdl");
  CHECK(report["transposes"]["inputs"] == 1);
  CHECK(report["transposes"]["outputs"] == 0);
  CHECK(report["transposes"]["inside"] == 2);
  CHECK(!row(report["nodes"], "y/across").is_null());  // the body has no name
}

TEST_CASE("inspect draws bodies") {
  const Shell shell;
  write_model(shell);
  REQUIRE(shell.run("inspect m.mdl --html page.html --dot m.dot").status == 0);
  const std::string page = shell.text("page.html");
  for (const char* part : {"<h2>Inside: y.then</h2>", "<h2>Inside: y.else</h2>",
                           "<h2>Inside: y.then/z.body</h2>", ">plain<", ">more<"}) {
    INFO(part);
    CHECK(contains(page, part));
  }
  const std::string dot = shell.text("m.dot");
  INFO(dot);
  for (const char* part : {"subgraph cluster_n0b0 {\n  label=\"y.then\"", "label=\"y.then/z.body\"",
                           "n0b1n0 [label=\"Relu plain\"]", "n0b1n0 -> n0b1o", "-> n0b0n2b0n0"}) {
    INFO(part);
    CHECK(contains(dot, part));
  }
  CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
}

TEST_CASE("--dump says that a tensor is inside a body") {
  const Shell shell;
  write_model(shell);
  for (const std::string name : {"plain", "y.else/plain"}) {
    const Outcome outcome = shell.run("run m.mdl --zeros --dump " + name + "=plain.npy");
    INFO(outcome.err);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "'y.else/plain' is inside a body"));
  }
  CHECK(shell.run("run m.mdl --zeros --dump y=y.npy --dump x=x.npy").status == 0);
}

}  // namespace
}  // namespace medulla::test
