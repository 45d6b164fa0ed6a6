// SPDX-License-Identifier: Apache-2.0
#include "tests/command/shell.h"

namespace medulla::test {
namespace {

// As much of protobuf's wire format as ONNX files made by hand need.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}
std::string field(uint64_t number, const std::string& bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string field(uint64_t number, uint64_t value) { return varint(number << 3) + varint(value); }

// A chain of operators from "x", float32 [1, 4], to "t<n>".
std::string onnx_chain(const std::vector<std::string>& ops) {
  const auto value_info = [](const std::string& name) {
    const std::string shape = field(1, field(1, 1)) + field(1, field(1, 4));
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)));
  };
  std::string graph;
  std::string last = "x";
  for (size_t n = 0; n < ops.size(); ++n) {
    const std::string next = "t" + std::to_string(n);
    graph += field(1, field(1, last) + field(2, next) + field(3, "node" + std::to_string(n)) +
                          field(4, ops[n]));
    last = next;
  }
  graph +=
      field(2, std::string("chain")) + field(11, value_info("x")) + field(12, value_info(last));
  return field(1, 8) + field(7, graph) + field(8, field(2, 13));
}

TEST_CASE("convert makes a model that runs") {
  if (!has_module()) return;
  const Shell shell;
  shell.write("m.onnx", onnx_chain({"Relu"}));
  shell.write("labels.txt", "one\ntwo\nthree\nfour\n");
  const nlohmann::json report = shell.json(
      "convert m.onnx -o m.mdl --name chained --metadata origin=test --labels labels.txt");
  CHECK(report["refusals"].empty());
  CHECK(report["nodes_before"]["Relu"] == 1);
  const nlohmann::json inspected = shell.json("inspect m.mdl");
  CHECK(inspected["metadata"]["name"] == "chained");
  CHECK(inspected["metadata"]["origin"] == "test");
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{-1, 2, -3, 4});
  const nlohmann::json ran = shell.json("run m.mdl --input x.npy --output y.npy");
  CHECK(shell.floats("y.npy") == std::vector<float>{0, 2, 0, 4});
  CHECK(ran["outputs"][0]["label"] == "four");
}

TEST_CASE("convert gives the same bytes each time, in the current folder unless told") {
  if (!has_module()) return;
  const Shell shell;
  std::filesystem::create_directory(shell.path("sources"));
  shell.write("sources/m.onnx", onnx_chain({"Relu"}));
  REQUIRE(shell.run("convert sources/m.onnx").status == 0);
  REQUIRE(shell.run("convert sources/m.onnx -o again.mdl").status == 0);
  CHECK(!shell.has("sources/m.mdl"));
  CHECK(shell.text("m.mdl") == shell.text("again.mdl"));
}

TEST_CASE("convert refuses with all reasons at once and leaves nothing behind") {
  if (!has_module()) return;
  const Shell shell;
  shell.write("bad.onnx", onnx_chain({"Relu", "Multinomial", "RandomUniformLike"}));
  shell.write("good.onnx", onnx_chain({"Relu"}));
  shell.write("text.onnx", "this is no model");
  shell.write("empty.onnx", "");
  shell.write("two.txt", "one\ntwo\n");
  shell.write("four.txt", "one\ntwo\nthree\nfour\n");
  shell.write("latin.txt", "one\ntwo\nt\xe9\nfour\n");
  shell.write("cut.onnx", shell.text("good.onnx").substr(0, 50));
  std::filesystem::create_directory(shell.path("folder.onnx"));
  const Outcome bad = shell.run("convert bad.onnx -o m.mdl");
  INFO(bad.err);
  CHECK(bad.status == 1);
  CHECK(bad.err.find("for 2 reasons:") != std::string::npos);
  for (const char* part : {"bad.onnx", "node1", "Multinomial", "node2", "RandomUniformLike"}) {
    INFO(part);
    CHECK(bad.err.find(part) != std::string::npos);
  }
  struct Case {
    const char* arguments;
    const char* says;
    int status = 1;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"absent.onnx -o m.mdl", "absent.onnx"},
           {"'' -o m.mdl", "not be empty", 2},
           {"text.onnx -o m.mdl", "text.onnx"},
           {"two.txt -o m.mdl", "no model of ONNX or TensorFlow Lite"},
           {"two.txt -o m.mdl", "give a .onnx or .tflite file"},
           {"empty.onnx -o m.mdl", "empty.onnx"},
           {"cut.onnx -o m.mdl", "cut.onnx"},
           {"folder.onnx -o m.mdl", "folder.onnx"},
           {"good.onnx -o missing/m.mdl", "missing/m.mdl"},
           {"good.onnx -o m.mdl --state a=b", "'a'"},
           {"good.onnx -o m.mdl --state a", "INPUT=OUTPUT", 2},
           {"good.onnx -o m.mdl --max batch=many", "'many'", 2},
           {"good.onnx -o m.mdl --max n=1,n=2", "'n' twice", 2},
           {"good.onnx -o m.mdl --metadata a=1 --metadata a=2", "'a' twice", 2},
           {"good.onnx -o m.mdl --labels ''", "not be empty", 2},
           {"good.onnx -o m.mdl --labels absent.txt", "absent.txt"},
           {"good.onnx -o m.mdl --labels two.txt", "2 names"},
           {"good.onnx -o m.mdl --labels nosuch=four.txt", "no output is called 'nosuch'"},
           {"good.onnx -o m.mdl --labels latin.txt",
            "latin.txt, line 3: is no text, should be UTF-8"},
           {"good.onnx -o m.mdl --preprocess 0:NHWC:1:0", "no input is called '0'; there are: 'x'"},
           {"good.onnx -o m.mdl --preprocess x:FOO:1:0", "'FOO'"},
           {"good.onnx -o m.mdl --preprocess x::nan:0", "finite"},
           {"good.onnx -o m.mdl --preprocess x:NHWC:1:0", "should have 4"},
           {"good.onnx -o m.mdl --preprocess x:NHWC:1:0,0", "1 scales and 2 offsets", 2},
           {"good.onnx -o m.mdl --preprocess x::1:0 --preprocess x::1:0", "twice"},
           {"good.onnx -o m.mdl --metadata name=foo", "--name"},
           {"good.onnx -o m.mdl --metadata producer=me", "another key"},
           {"good.onnx -o m.mdl --state x=t0", "without an output"},
           {"good.onnx -o m.mdl --state x=t0 --state x=t0", "'x' is a state already"},
           {"good.onnx -o m.mdl --preprocess x:NCHW:1", "INPUT:LAYOUT:SCALES:OFFSETS", 2},
           {"good.onnx -o m.mdl --metadata word", "KEY=VALUE", 2},
           {"good.onnx -o m.mdl --no-pass nosuch", "nosuch"},
       }) {
    const Outcome outcome = shell.run(std::string("convert ") + c.arguments);
    INFO(c.arguments << "\n" << outcome.err);
    CHECK(outcome.status == c.status);
    CHECK(outcome.err.find(c.says) != std::string::npos);
    CHECK(outcome.err.find("memory block") == std::string::npos);
  }
  CHECK(!shell.has("m.mdl"));
  CHECK(!shell.has("missing"));
}

}  // namespace
}  // namespace medulla::test
