// SPDX-License-Identifier: Apache-2.0
// What is noted of a conversion: what was not looked at, and what a user would not guess.
#include <limits>

#include "tests/catch.h"
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("nodes behind refused ones that are not looked at are counted") {
  OnnxModel m(13);
  m.input("x", {1, 2, 8});
  m.node("Nosuch", {"x"}, {"a"});
  m.node("Relu", {"a"}, {"b"});
  m.node("Softmax", {"b"}, {"c"});
  m.node("Relu", {"x"}, {"y"});
  m.output("c", {-1, -1, -1});
  m.output("y", {1, 2, 8});
  m.proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  const Folder folder;
  const ConvertReport report = convert(m.write(folder));
  CHECK(report.refusals.size() == 1);
  CHECK(report.notes ==
        std::vector<std::string>{"nodes behind refused ones that were not looked at: 2; convert "
                                 "again once those are mended"});
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
