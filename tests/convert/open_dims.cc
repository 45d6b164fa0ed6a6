// SPDX-License-Identifier: Apache-2.0
// Dimensions that the source leaves open: made static, and varying where not every extent is valid.
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/stream.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

OnnxModel deep() {
  OnnxModel m(13);
  m.input("x", {1, 8, 2, -1});
  set_int(m.node("DepthToSpace", {"x"}, {"y"}), "blocksize", 2);
  m.output("y", {1, 2, 4, -1});
  return m;
}

}  // namespace

TEST_CASE("an open dimension is fixed to any number") {
  const Folder folder;
  ConvertOptions options = deep().write(folder);
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
    CHECK(graph.tensors[static_cast<size_t>(graph.outputs[0])].dims == Dims{1, 2, 4, 6});
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
