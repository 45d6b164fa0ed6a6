// SPDX-License-Identifier: Apache-2.0
// Dimensions that the source leaves open: made static, and varying where not every extent is valid.
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/stream.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

OnnxModel padded() {
  OnnxModel m(13);
  m.input("x", {1, 8, 2, -1});
  auto* pool = m.node("MaxPool", {"x"}, {"y"});
  set_string(pool, "auto_pad", "SAME_UPPER");
  set_ints(pool, "kernel_shape", {3, 3});
  set_ints(pool, "strides", {2, 2});
  m.output("y", {1, 8, 1, -1});
  return m;
}

}  // namespace

TEST_CASE("an open dimension is fixed to any number") {
  const Folder folder;
  ConvertOptions options = padded().write(folder);
  ConvertReport report;
  SECTION("which what wants a static shape advises") {
    options.maxima["N"] = 3;
    import_and_optimize(options, report);
    REQUIRE(report.refusals.size() == 1);
    CHECK(report.refusals[0].text().find("with --fix-dim N=N") != std::string::npos);
  }
  SECTION("and is static then") {
    options.fixed_dims["N"] = 3;
    const Model model = import_and_optimize(options, report);
    REQUIRE(report.refusals.empty());
    const Graph& graph = model.main();
    CHECK(graph.tensors[static_cast<size_t>(graph.inputs[0])].symbols.empty());
    CHECK(graph.tensors[static_cast<size_t>(graph.outputs[0])].dims == Dims{1, 8, 1, 2});
  }
  SECTION("if there is one of the name") {
    options.fixed_dims = {{"N", 3}, {"M", 3}};
    import_and_optimize(options, report);
    REQUIRE(report.refusals.size() == 1);
    CHECK(report.refusals[0].rewrite == "there is: N");
  }
  SECTION("unless it has a maximum") {
    options.fixed_dims["N"] = 3;
    options.maxima["N"] = 3;
    import_and_optimize(options, report);
    CHECK(report.refusals.at(0).reason == "--max and --fix-dim both name 'N'");
  }
}

TEST_CASE("an open dimension may be one whose half is not valid") {
  OnnxModel m(13);
  int64_t most = 30, fed = 25;
  Dims shape = {1, 3, -1};
  SECTION("for a kernel is longer") {
    m.floats("w", {4, 3, 20}, random_floats(240, 1));
    m.input("x", shape);
    m.node("Conv", {"x", "w"}, {"y"});
    m.output("y", {1, 4, -1});
  }
  SECTION("for it holds no whole number of rows") {
    most = 36;
    fed = 8;
    m.ints("rows", {1, 3, -1, 8});
    m.input("x", {1, 6, -1});
    shape[1] = 6;
    m.node("Reshape", {"x", "rows"}, {"wide"});
    m.node("Relu", {"wide"}, {"y"});
    m.output("y", {1, 3, -1, 8});
  }
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = most;
  REQUIRE(convert(options).refusals.empty());
  shape[2] = fed;
  const Floats x = random_floats(static_cast<size_t>(shape[1] * fed), 2);
  const Floats found = Stream(options.output, nullptr).feed(x, shape);
  options.maxima.clear();
  options.fixed_dims["N"] = fed;
  REQUIRE(convert(options).refusals.empty());
  CHECK(found == Stream(options.output, nullptr).feed(x, shape));
}

TEST_CASE("an open dimension of which only the maximum is valid is refused") {
  OnnxModel m(13);
  m.floats("w", {4, 3, 30}, random_floats(360, 1));
  m.input("x", {1, 3, -1});
  m.node("Conv", {"x", "w"}, {"y"});
  m.output("y", {1, 4, -1});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = 30;
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 1);
  CHECK(report.refusals[0].text().find("with --fix-dim N=N") != std::string::npos);
  options.maxima["N"] = 31;
  CHECK(convert(options).refusals.empty());
}

TEST_CASE("a norm over an open dimension stays what its exporter wrote") {
  OnnxModel m(13);
  m.input("x", {1, 3, -1});
  const auto mean = [&](const std::string& from, const std::string& to) {
    set_ints(m.node("ReduceMean", {from}, {to}), "axes", {2});
  };
  mean("x", "mean");
  m.node("Sub", {"x", "mean"}, {"d"});
  m.node("Mul", {"d", "d"}, {"square"});
  mean("square", "variance");
  m.floats("epsilon", {}, {1e-5f});
  m.node("Add", {"variance", "epsilon"}, {"sum"});
  m.node("Sqrt", {"sum"}, {"deviation"});
  m.node("Div", {"d", "deviation"}, {"y"});
  m.output("y", {1, 3, -1});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = 12;
  REQUIRE(convert(options).refusals.empty());
  const Floats x = random_floats(21, 3);
  const Floats found = Stream(options.output, nullptr).feed(x, {1, 3, 7});
  options.maxima.clear();
  options.fixed_dims["N"] = 7;
  REQUIRE(convert(options).refusals.empty());
  const Floats wanted = Stream(options.output, nullptr).feed(x, {1, 3, 7});
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - wanted[i]) < 1e-5f);
}
