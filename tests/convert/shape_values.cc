// SPDX-License-Identifier: Apache-2.0
// Extents that vary, where exporters compute with them: what comes out for a shorter input is what
// the model gives whose dimension is fixed to that.
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/stream.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr int64_t kMost = 9;

// x is [1, 3, N]; s its shape, t the last extent as a scalar.
OnnxModel shaped() {
  OnnxModel m(13);
  m.input("x", {1, 3, -1});
  m.node("Shape", {"x"}, {"s"});
  m.constant("two", {}, onnx::TensorProto::INT64)->add_int64_data(2);
  m.constant("zero", {}, onnx::TensorProto::INT64)->add_int64_data(0);
  m.constant("one", {}, onnx::TensorProto::INT64)->add_int64_data(1);
  m.node("Gather", {"s", "two"}, {"t"});
  m.ints("none", {0});
  m.ints("last", {2});
  return m;
}

void check(const OnnxModel& m, const std::vector<int64_t>& extents = {1, 4, kMost}) {
  const Folder folder;
  for (const int64_t n : extents) {
    INFO("N " << n);
    ConvertOptions options = m.write(folder);
    const Floats x = random_floats(static_cast<size_t>(3 * n), 5);
    std::vector<Floats> results;
    for (const bool fixed : {false, true}) {
      options.maxima.clear();
      (fixed ? options.fixed_dims["N"] : options.maxima["N"]) = fixed ? n : kMost;
      const ConvertReport report = convert(options);
      for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
      REQUIRE(report.refusals.empty());
      results.push_back(Stream(options.output, nullptr).feed(x, {1, 3, n}));
    }
    CHECK(results[0] == results[1]);
  }
}

}  // namespace

TEST_CASE("tensors take shapes that vary") {
  OnnxModel m = shaped();
  SECTION("by Expand") {
    m.floats("c", {3, 1}, {1, 2, 3});
    m.node("Expand", {"c", "s"}, {"e"});
    m.node("Add", {"x", "e"}, {"y"});
    m.output("y", {1, 3, -1});
  }
  SECTION("by ConstantOfShape") {
    auto* fill = m.node("ConstantOfShape", {"s"}, {"f"})->add_attribute();
    fill->set_name("value");
    fill->set_type(onnx::AttributeProto::TENSOR);
    fill->mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
    fill->mutable_t()->add_dims(1);
    fill->mutable_t()->add_float_data(2.5f);
    m.node("Neg", {"f"}, {"y"});
    m.output("y", {1, 3, -1});
  }
  SECTION("by Range") {
    m.node("Range", {"zero", "t", "one"}, {"r"});
    set_int(m.node("Cast", {"r"}, {"f"}), "to", onnx::TensorProto::FLOAT);
    m.node("Mul", {"x", "f"}, {"y"});
    m.output("y", {1, 3, -1});
  }
  SECTION("by a Range from another number") {
    m.node("Add", {"t", "two"}, {"end"});
    m.node("Range", {"two", "end", "one"}, {"r"});
    set_int(m.node("Cast", {"r"}, {"f"}), "to", onnx::TensorProto::FLOAT);
    m.node("Mul", {"x", "f"}, {"y"});
    m.output("y", {1, 3, -1});
  }
  SECTION("by a Range back to 0") {
    m.constant("minus one", {}, onnx::TensorProto::INT64)->add_int64_data(-1);
    m.node("Sub", {"t", "one"}, {"last index"});
    m.node("Range", {"last index", "minus one", "minus one"}, {"r"});
    set_int(m.node("Gather", {"x", "r"}, {"y"}), "axis", 2);
    m.output("y", {1, 3, -1});
  }
  SECTION("by a Slice of a table") {
    m.floats("table", {1, 3, 20}, random_floats(60, 6));
    m.node("Slice", {"s", "last", "end", "none"}, {"n"});
    m.ints("end", {3});
    m.node("Slice", {"table", "none", "n", "last"}, {"p"});
    m.node("Add", {"x", "p"}, {"y"});
    m.output("y", {1, 3, -1});
  }
  check(m);
}

TEST_CASE("a Slice goes to or from a half of an extent that varies") {
  OnnxModel m = shaped();
  m.node("Div", {"t", "two"}, {"h"});
  m.node("Unsqueeze", {"h", "none"}, {"half"});
  m.ints("end", {INT64_MAX});
  SECTION("the first") { m.node("Slice", {"x", "none", "half", "last"}, {"p"}); }
  SECTION("the second") { m.node("Slice", {"x", "half", "end", "last"}, {"p"}); }
  SECTION("the second, up to the extent") {
    m.node("Unsqueeze", {"t", "none"}, {"whole"});
    m.node("Slice", {"x", "half", "whole", "last"}, {"p"});
  }
  SECTION("all but the second") {
    m.node("Sub", {"t", "h"}, {"d"});
    m.node("Unsqueeze", {"d", "none"}, {"first"});
    m.node("Slice", {"x", "none", "first", "last"}, {"p"});
  }
  SECTION("of a table, up to twice the half and one more") {
    m.floats("table", {1, 3, 20}, random_floats(60, 6));
    m.node("Mul", {"two", "h"}, {"d"});
    m.node("Add", {"d", "one"}, {"e"});
    m.node("Unsqueeze", {"e", "none"}, {"more"});
    m.node("Slice", {"table", "none", "more", "last"}, {"p"});
  }
  m.node("Neg", {"p"}, {"y"});
  m.output("y", {1, 3, -1});
  check(m, {2, 4, 5, kMost});
}

TEST_CASE("Resize goes to sizes that vary") {
  OnnxModel m = shaped();
  m.ints("first two", {0, 1});
  m.node("Gather", {"s", "first two"}, {"head"});
  const auto resize = [&](const std::string& from, const char* mode) {
    m.node("Unsqueeze", {"n", "none"}, {"tail"});
    set_int(m.node("Concat", {"head", "tail"}, {"sizes"}), "axis", 0);
    auto* node = m.node("Resize", {from, "", "", "sizes"}, {"r"});
    set_string(node, "mode", mode);
    m.node("Neg", {"r"}, {"y"});
    m.output("y", {1, 3, -1});
  };
  SECTION("twice as many") {
    m.node("Mul", {"t", "two"}, {"n"});
    resize("x", "linear");
    check(m);
  }
  SECTION("as many, computed in floats") {
    m.floats("factor", {}, {3});
    set_int(m.node("Cast", {"t"}, {"f"}), "to", onnx::TensorProto::FLOAT);
    m.node("Mul", {"f", "factor"}, {"g"});
    m.node("Floor", {"g"}, {"w"});
    set_int(m.node("Cast", {"w"}, {"n"}), "to", onnx::TensorProto::INT64);
    resize("x", "nearest");
    check(m);
  }
  SECTION("as many as there were before a pool") {
    auto* pool = m.node("MaxPool", {"x"}, {"p"});
    set_ints(pool, "kernel_shape", {3});
    set_ints(pool, "strides", {3});
    m.node("Identity", {"t"}, {"n"});
    resize("p", "linear");
    check(m, {3, 6, kMost});
  }
  SECTION("from one") {
    m.node("GlobalAveragePool", {"x"}, {"p"});
    m.node("Identity", {"t"}, {"n"});
    resize("p", "linear");
    check(m);
  }
}

TEST_CASE("a Resize by no whole factor of an extent that varies is refused") {
  OnnxModel m = shaped();
  m.ints("first two", {0, 1});
  m.node("Gather", {"s", "first two"}, {"head"});
  m.node("Div", {"t", "two"}, {"h"});
  m.node("Unsqueeze", {"h", "none"}, {"tail"});
  set_int(m.node("Concat", {"head", "tail"}, {"sizes"}), "axis", 0);
  set_string(m.node("Resize", {"x", "", "", "sizes"}, {"y"}), "mode", "linear");
  m.output("y", {1, 3, -1});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = kMost;
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 1);
  CHECK(report.refusals[0].text().find("to 'N' / 2, up to 4") != std::string::npos);
  CHECK(report.refusals[0].text().find("--fix-dim N=N") != std::string::npos);
}

TEST_CASE("extents that vary are numbers too") {
  OnnxModel m = shaped();
  SECTION("an index of the last frame") {
    m.node("Sub", {"t", "one"}, {"i"});
    set_int(m.node("Gather", {"x", "i"}, {"y"}), "axis", 2);
    m.output("y", {1, 3});
  }
  SECTION("a divisor") {
    set_int(m.node("Cast", {"t"}, {"f"}), "to", onnx::TensorProto::FLOAT);
    m.node("Div", {"x", "f"}, {"y"});
    m.output("y", {1, 3, -1});
  }
  SECTION("an output") {
    set_int(m.node("Cast", {"s"}, {"y"}), "to", onnx::TensorProto::FLOAT);
    m.output("y", {3});
  }
  check(m);
}

TEST_CASE("a shape that varies may be an output") {
  const Folder folder;
  OnnxModel m = shaped();
  m.output("s", {3}, onnx::TensorProto::INT64);
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = kMost;
  ConvertReport report;
  const Model model = import_and_optimize(options, report);
  REQUIRE(report.refusals.empty());
  const Graph& graph = model.main();
  CHECK(graph.tensors[static_cast<size_t>(graph.outputs[0])].dtype == MDL_INT64);
}

TEST_CASE("a table that is shorter than an extent may get is refused") {
  const Folder folder;
  OnnxModel m = shaped();
  m.floats("table", {1, 3, 8}, random_floats(24, 6));
  m.node("Unsqueeze", {"t", "none"}, {"n"});
  m.node("Slice", {"table", "none", "n", "last"}, {"p"});
  m.node("Add", {"x", "p"}, {"y"});
  m.output("y", {1, 3, -1});
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = kMost;
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 1);
  CHECK(report.refusals[0].text().find("cuts 8 elements of dimension 2") != std::string::npos);
  CHECK(report.refusals[0].text().find("--fix-dim N=N") != std::string::npos);
}
