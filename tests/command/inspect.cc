// SPDX-License-Identifier: Apache-2.0
#include "tests/command/shell.h"

namespace medulla::test {
namespace {

// Two branches, a view, a concatenation, names that a page has to escape.
void write_branches(const Shell& shell) {
  ModelBuilder b;
  const int32_t x = b.input("x <in>", {1, 8});
  const int32_t left = b.node("Relu", {x}, "left & \"right\"");
  const int32_t right = b.node("Add", {x, x}, "<b>");
  const int32_t both = b.node("Concat", {left, right}, "both", {{"axis", int64_t{1}}});
  const int32_t view = b.node("Reshape", {both}, "view", {{"shape", std::vector<int64_t>{4, 4}}});
  b.output(b.node("Mul", {view, view}, "y"));
  b.bytes();
  b.model.name = "branches";
  tools::write_model(b.model, shell.path("m.mdl"));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    out += c == '&'   ? "&amp;"
           : c == '<' ? "&lt;"
           : c == '>' ? "&gt;"
           : c == '"' ? "&quot;"
                      : std::string(1, c);
  }
  return out;
}

TEST_CASE("inspect --json tells everything that the page and the tables show") {
  const Shell shell;
  write_branches(shell);
  const nlohmann::json report = shell.json("inspect m.mdl");
  CHECK(report["metadata"]["name"] == "branches");
  CHECK(report["inputs"][0]["name"] == "x <in>");
  CHECK(report["outputs"][0]["shape"] == nlohmann::json({4, 4}));
  CHECK(report["operators"]["Concat"] == 1);
  CHECK(report["memory"]["model_bytes"] > 0);
  CHECK(report["memory"]["arena_bytes"] >= report["memory"]["arena_bound_bytes"]);
  REQUIRE(report["nodes"].size() > 1);
  const nlohmann::json& first = report["nodes"][0];
  CHECK(first["inputs"][0] == "x <in>");
  CHECK(first["attributes"].is_object());
  for (const nlohmann::json& tensor : report["tensors"]) {
    INFO(tensor["name"]);
    CHECK(tensor.contains("offset") == tensor["constant"].get<bool>());
  }
  REQUIRE(!report["plan"]["steps"].empty());
  for (const nlohmann::json& step : report["plan"]["steps"]) {
    for (const char* key : {"name", "op", "backend", "kernel", "macs", "bytes"}) {
      INFO(key);
      CHECK(step.contains(key));
    }
  }
  for (const nlohmann::json& piece : report["plan"]["storages"]) {
    for (const char* key : {"kind", "offset", "bytes", "first", "last"}) {
      INFO(key);
      CHECK(piece.contains(key));
    }
  }
}

TEST_CASE("inspect shows what a model carries beside its graph") {
  const Shell shell;
  const std::string name(40, 'n');
  ModelBuilder b;
  const int32_t x = b.input("x", {4, 2});
  b.at(x).symbols = {"batch", ""};
  const int32_t q = b.input("q", {2, 2}, MDL_INT8);
  b.at(q).quantization = tools::Quantization{{0.5f, 0.25f}, {0, 0}, 1};
  b.output(b.node("Relu", {x}, name));
  b.output(b.node("DequantizeLinear", {q}, "y"));
  b.model.name = "carrier";
  b.model.metadata["site"] = "ward 3";
  b.model.labels.push_back({0, {"good", "bad"}});
  b.model.preprocessing.push_back({0, "", {0.5f}, {128}});
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  const nlohmann::json report = shell.json("inspect m.mdl");
  CHECK(report["inputs"][0]["dynamic"] == nlohmann::json::array({0}));
  CHECK(report["inputs"][0]["preprocessing"]["scale"] == nlohmann::json::array({0.5}));
  CHECK(report["inputs"][0]["preprocessing"]["offset"] == nlohmann::json::array({128.0}));
  CHECK(report["inputs"][1]["dynamic"].empty());
  CHECK(report["inputs"][1]["scales"] == nlohmann::json({0.5, 0.25}));
  CHECK(report["inputs"][1]["axis"] == 1);
  CHECK(report["outputs"][0]["labels"] == nlohmann::json({"good", "bad"}));
  const std::string text = shell.run("inspect m.mdl --tensors").out;
  INFO(text);
  for (const char* part : {"name: carrier", "site: ward 3", "labels good, bad", "scale [0.5]",
                           "offset [128.0]", "2 scales along axis 1"}) {
    INFO(part);
    CHECK(contains(text, part));
  }
  CHECK(!contains(text, name + "float32"));
}

TEST_CASE("inspect says why nodes of a quantized model are float32") {
  const Shell shell;
  ModelBuilder b;
  const auto quantized = [&](const char* name, mdl_dtype dtype = MDL_INT8) {
    const int32_t q = b.input(name, {2, 2}, dtype);
    b.at(q).quantization = tools::Quantization{{0.5f}, {0}, 0};
    return b.node("DequantizeLinear", {q}, std::string(name) + ".real");
  };
  const int32_t x = quantized("x");
  const int32_t f = b.input("f", {2, 2});
  const int32_t w = b.constant("w", {2, 2}, {1, 2, 3, 4});
  const int32_t sigmoid = b.node("Sigmoid", {x}, "sigmoid");
  b.output(b.node("LogSoftmax", {sigmoid}, "softmax"));
  b.output(b.node("Elu", {sigmoid}, "elu"));
  b.output(b.node("MatMul", {x, w}, "by constant"));
  b.output(b.node("MatMul", {x, f}, "by input"));
  b.output(b.node("Add", {x, f}, "sum"));
  b.output(b.node("Neg", {x}, "negative"));
  const int32_t wide = quantized("wide", MDL_INT16);
  b.output(b.node("Tanh", {wide}, "tanh"));
  b.output(b.node("Add", {wide, wide}, "wide sum"));
  b.output(b.node("MatMul", {wide, w}, "wide by constant"));
  const int32_t product = b.node("MatMul", {wide, wide}, "wide product");
  tools::Graph& graph = b.model.main();
  const int32_t q = graph.add_tensor({"q", MDL_INT16, {2, 2}, {}, {}, nullptr, false});
  b.at(q).quantization = tools::Quantization{{0.5f}, {0}, 0};
  graph.nodes.push_back({"quantize", "QuantizeLinear", 1, {}, {product}, {q}});
  b.output(q);
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  const nlohmann::json nodes = shell.json("inspect m.mdl")["float_nodes"];
  const auto reason = [&](const std::string& name) {
    for (const nlohmann::json& node : nodes) {
      if (node["name"] == name) return node["reason"].get<std::string>();
    }
    return std::string("none");
  };
  CHECK(nodes.size() == 11);
  CHECK(reason("sigmoid") == "no QuantizeLinear right after node 'sigmoid'");
  CHECK(reason("softmax") == "no integer form of LogSoftmax");
  CHECK(reason("elu") == "no DequantizeLinear before its input 'sigmoid'");
  CHECK(reason("by constant") == "weights 'w' are not quantized");
  CHECK(reason("by input") == "weights 'f' are not constant");
  CHECK(reason("sum") == "no DequantizeLinear before its input 'f'");
  CHECK(reason("negative") == "output 'negative' of the model is float32");
  CHECK(reason("tanh") == "'wide' is int16, of which there is no integer form of Tanh");
  CHECK(reason("wide sum") == "output 'wide sum' of the model is float32");
  CHECK(reason("wide by constant") == "output 'wide by constant' of the model is float32");
  CHECK(reason("wide product") == "weights 'wide.real' are not constant");
  CHECK(contains(shell.run("inspect m.mdl").out, "Neg 'negative': output 'negative'"));
  write_branches(shell);
  CHECK(shell.json("inspect m.mdl")["float_nodes"].empty());
}

TEST_CASE("inspect --html is one page that needs nothing from elsewhere") {
  const Shell shell;
  write_branches(shell);
  REQUIRE(shell.run("inspect m.mdl --html page.html").status == 0);
  const std::string page = shell.text("page.html");
  for (const char* foreign : {"http:", "https:", "src=", "@import", "url(", "<script", "<link"}) {
    INFO(foreign);
    CHECK(!contains(page, foreign));
  }
  const nlohmann::json plan = shell.json("inspect m.mdl")["plan"];
  for (const nlohmann::json& step : plan["steps"]) {
    INFO(step);
    CHECK(contains(page, ">" + escaped(step["name"].get<std::string>()) + "<"));
    CHECK(contains(page, escaped(step["kernel"].get<std::string>())));
  }
  CHECK(!contains(page, "<b>\""));
  for (const char* tag : {"svg", "table", "tr", "td", "span", "div", "g"}) {
    INFO(tag);
    const auto count = [&](const std::string& what) {
      size_t n = 0;
      for (size_t at = page.find(what); at != std::string::npos; at = page.find(what, at + 1)) ++n;
      return n;
    };
    const std::string open = std::string("<") + tag;
    CHECK(count(open + ">") + count(open + " ") == count(std::string("</") + tag + ">"));
  }
}

TEST_CASE("inspect prints tables, operators, the plan and Graphviz's language") {
  const Shell shell;
  write_branches(shell);
  const Outcome tables = shell.run("inspect m.mdl --tensors");
  CHECK(tables.status == 0);
  for (const char* part : {"x <in>", "operators", "arena", "steps", "tensors", "<b>"}) {
    INFO(part);
    CHECK(contains(tables.out, part));
  }
  CHECK(shell.run("inspect m.mdl --ops").out == "Add;Concat;Mul;Relu;Reshape\n");
  CHECK(contains(shell.run("inspect m.mdl --plan").out, "kernel"));
  const std::string dot = shell.run("inspect m.mdl --dot -").out;
  CHECK(dot.rfind("digraph", 0) == 0);
  CHECK(contains(dot, "Concat both"));
}

TEST_CASE("names do not break rows") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("in\nput\x1b[2J", {1, 4})}, "o\rut\n9 put"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  const Outcome shown = shell.run("inspect m.mdl --tensors");
  CHECK(shown.status == 0);
  CHECK(shown.out.find("\n  input   in\\x0aput\\x1b[2J  ") != std::string::npos);
  REQUIRE(shell.run("inspect m.mdl --dot m.dot").status == 0);
  const std::string dot = shell.text("m.dot");
  CHECK(dot.find("\"in\\\\x0aput\\\\x1b[2J\"") != std::string::npos);
  const std::string plan = shell.run("inspect m.mdl --plan").out;
  CHECK(plan.find(" in\\x0aput\\x1b[2J [1,4] float32") != std::string::npos);
  const std::string all = shown.out + dot + plan + shell.run("run m.mdl --zeros").out +
                          shell.run("bench m.mdl --runs 1 --profile").out +
                          shell.run("compare m.mdl m.mdl").out;
  INFO(all);
  CHECK(all.find('\x1b') == std::string::npos);
  CHECK(all.find("\nput") == std::string::npos);
  CHECK(all.find("\n9 put") == std::string::npos);
  CHECK(all.find('\r') == std::string::npos);
}

}  // namespace
}  // namespace medulla::test
