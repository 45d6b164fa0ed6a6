// SPDX-License-Identifier: Apache-2.0
// `medulla compare`: a conversion that is right is found right, one that is not by its first layer.
#include "tests/catch.h"
#include "tests/command/shell.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"

namespace medulla::test {
namespace {

using tools::OnnxModel;

void write_source(const Shell& shell, const OnnxModel& model) {
  std::ofstream file(shell.path("m.onnx"), std::ios::binary);
  model.proto.SerializeToOstream(&file);
}

// Conv, Relu, Conv, on [1, 2, 6, 6].
OnnxModel picture_model() {
  OnnxModel m(13);
  m.input("x", {1, 2, 6, 6});
  m.floats("w", {3, 2, 3, 3}, tools::random_floats(54, 1));
  m.floats("v", {2, 3, 1, 1}, tools::random_floats(6, 2));
  m.node("Conv", {"x", "w"}, {"first"});
  m.node("Relu", {"first"}, {"positive"});
  m.node("Conv", {"positive", "v"}, {"y"});
  m.output("y", {1, 2, 4, 4});
  return m;
}

// The same with integers in int8.
OnnxModel quantized_model() {
  OnnxModel m(13);
  m.input("x", {1, 2, 6, 6});
  const auto scalar = [&](const std::string& name, float scale) {
    m.floats(name, {}, {scale});
    m.bytes(name + "_zero", {}, onnx::TensorProto::INT8, {0});
  };
  scalar("sx", 0.0078125f);
  scalar("sw", 0.02f);
  scalar("sy", 0.05f);
  std::vector<int32_t> weights;
  for (int i = 0; i < 54; ++i) weights.push_back(i * 37 % 255 - 127);
  m.bytes("w", {3, 2, 3, 3}, onnx::TensorProto::INT8, weights);
  m.node("QuantizeLinear", {"x", "sx", "sx_zero"}, {"xq"});
  m.node("DequantizeLinear", {"xq", "sx", "sx_zero"}, {"xf"});
  m.node("DequantizeLinear", {"w", "sw", "sw_zero"}, {"wf"});
  m.node("Conv", {"xf", "wf"}, {"conv"});
  m.node("QuantizeLinear", {"conv", "sy", "sy_zero"}, {"yq"});
  m.node("DequantizeLinear", {"yq", "sy", "sy_zero"}, {"y"});
  m.output("y", {1, 3, 4, 4});
  return m;
}

// Two convolutions in int8, by the sixth weight of the first and the first of the second.
OnnxModel deep_model(int32_t sixth, int32_t first) {
  OnnxModel m(13);
  m.input("x", {1, 2, 6, 6});
  const auto rounded = [&](const std::string& name, float scale) {
    m.floats(name + "_s", {}, {scale});
    m.bytes(name + "_z", {}, onnx::TensorProto::INT8, {0});
    m.node("QuantizeLinear", {name, name + "_s", name + "_z"}, {name + "_q"});
    m.node("DequantizeLinear", {name + "_q", name + "_s", name + "_z"}, {name + "_f"});
    return name + "_f";
  };
  const auto weights = [&](const std::string& name, tools::Dims dims, int count, int32_t at,
                           int32_t value) {
    std::vector<int32_t> values;
    for (int i = 0; i < count; ++i) values.push_back(i * 37 % 255 - 127);
    values[static_cast<size_t>(at)] = value;
    m.bytes(name, dims, onnx::TensorProto::INT8, values);
    m.floats(name + "_s", {}, {0.02f});
    m.bytes(name + "_z", {}, onnx::TensorProto::INT8, {0});
    m.node("DequantizeLinear", {name, name + "_s", name + "_z"}, {name + "_f"});
    return name + "_f";
  };
  const std::string x = rounded("x", 0.0078125f);
  m.node("Conv", {x, weights("w", {3, 2, 3, 3}, 54, 5, sixth)}, {"a"});
  const std::string a = rounded("a", 0.1f);
  m.node("Conv", {a, weights("v", {2, 3, 1, 1}, 6, 0, first)}, {"b"});
  m.node("Identity", {rounded("b", 0.1f)}, {"y"});
  m.output("y", {1, 2, 4, 4});
  return m;
}

// relu(x + shift) * 2: three tensors of four.
void write_chain(const Shell& shell, const std::string& name, float shift) {
  ModelBuilder b;
  const int32_t x = b.input("x", {1, 4});
  const int32_t sum = b.node("Add", {x, b.constant("one", {4}, {1, shift, 1, 1})}, "sum");
  const int32_t relu = b.node("Relu", {sum}, "relu");
  b.output(b.node("Mul", {relu, b.constant("two", {4}, {2, 2, 2, 2})}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path(name));
}

}  // namespace

TEST_CASE("a conversion agrees with its source") {
  const Shell shell;
  const auto agrees = [&](const std::string& options, const std::string& more = "") {
    INFO(options);
    REQUIRE(shell.run("convert m.onnx -o m.mdl " + options).status == 0);
    const nlohmann::json report = shell.json("compare m.mdl m.onnx" + more);
    CHECK(report["tensors"].size() >= 2);
    CHECK(!report.contains("first"));
    return report;
  };
  SECTION("of floats, in either layout") {
    write_source(shell, picture_model());
    for (const char* options : {"", "--layout nhwc", "--no-pass all"}) {
      const nlohmann::json tensors = agrees(options)["tensors"];
      for (const nlohmann::json& tensor : tensors) CHECK(tensor["range"] > 0);
    }
  }
  SECTION("of integers, in their unit") {
    write_source(shell, quantized_model());
    const nlohmann::json report = agrees("");
    CHECK(report["tensors"][1]["tensor"] == "yq");
    CHECK(report["tensors"][1]["op"] == "QConv");
    CHECK(report["tensors"][1]["units"] <= 1);
    // The convolution in float32 is only in the source.
    CHECK(report["only_in_reference"].dump().find("\"conv\"") != std::string::npos);
  }
  SECTION("with a state, and with an extent that varies") {
    OnnxModel m(13);
    m.input("x", {-1, 4});
    m.input("h", {1, 4});
    m.node("Add", {"x", "h"}, {"next"});
    m.node("Relu", {"next"}, {"y"});
    m.output("y", {-1, 4});
    m.output("next", {-1, 4});
    write_source(shell, m);
    agrees("--state h=next");
    agrees("--max N=3");
  }
}

TEST_CASE("a quantised model's tensors are paired with those they were in the source") {
  const Shell shell;
  for (const bool quantized : {false, true}) {
    OnnxModel m(13);
    m.input("x", {1, 2, 6, 6});
    m.floats("w", {3, 2, 3, 3}, tools::random_floats(54, 1));
    m.floats("scale", {}, {0.5f});
    m.bytes("zero", {}, onnx::TensorProto::INT8, {0});
    const auto rounded = [&](const std::string& name) {
      if (!quantized) return name;
      m.node("QuantizeLinear", {name, "scale", "zero"}, {name + "_QuantizeLinear_Output"});
      m.node("DequantizeLinear", {name + "_QuantizeLinear_Output", "scale", "zero"},
             {name + "_DequantizeLinear_Output"});
      return name + "_DequantizeLinear_Output";
    };
    const std::string x = rounded("x"), w = rounded("w");
    m.node("Conv", {x, w}, {"/a/Conv_output_0"})->set_name("/a/Conv");
    const std::string c = rounded("/a/Conv_output_0");
    m.node("Relu", {c}, {"/a/Relu_output_0"});
    m.node("MaxPool", {rounded("/a/Relu_output_0")}, {"y"});
    tools::set_ints(m.proto.mutable_graph()->mutable_node(m.proto.graph().node_size() - 1),
                    "kernel_shape", {2, 2});
    m.output("y", {1, 3, 3, 3});
    write_source(shell, m);
    REQUIRE(shell.run(std::string("convert m.onnx -o ") + (quantized ? "q.mdl" : "f.mdl")).status ==
            0);
  }
  const nlohmann::json report = shell.json("compare q.mdl f.mdl --units 1000 --bound 1");
  INFO(report.dump(1));
  CHECK(report["paired_by_source"] >= 1);
  bool found = false;
  for (const nlohmann::json& tensor : report["tensors"]) {
    found |= tensor["tensor"] == "/a/Conv_output_0_QuantizeLinear_Output" &&
             tensor["reference"] == "/a/Conv";
  }
  CHECK(found);
}

TEST_CASE("the first layer that differs is named, with where its elements lie") {
  const Shell shell;
  write_chain(shell, "good.mdl", 1);
  write_chain(shell, "bad.mdl", 1.25f);
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{1, 2, 3, 4});
  const Outcome outcome = shell.run("compare bad.mdl good.mdl --input x.npy");
  INFO(outcome.out << outcome.err);
  CHECK(outcome.status == 1);
  CHECK(outcome.err.find("'sum', made by Add 'sum'") != std::string::npos);
  CHECK(outcome.out.find("3 tensors compared") != std::string::npos);

  const Outcome told = shell.run("compare bad.mdl good.mdl --input x.npy --json");
  CHECK(told.status == 1);
  const nlohmann::json report = nlohmann::json::parse(told.out);
  CHECK(report["first"]["tensor"] == "sum");
  CHECK(report["first"]["max"] == 0.25);
  CHECK(report["first"]["mean"] == 0.0625);
  CHECK(report["first"]["range"] == 5);
  CHECK(report["tensors"][2]["max"] == 0.5);
  const nlohmann::json& histogram = report["first"]["histogram"];
  CHECK(histogram.front() == nlohmann::json({{"distance", "equal"}, {"elements", 3}}));
  CHECK(histogram.back() == nlohmann::json({{"distance", "<= 0.1"}, {"elements", 1}}));

  CHECK(shell.run("compare bad.mdl good.mdl --input x.npy --bound 0.06").status == 0);
  CHECK(shell.run("compare good.mdl good.mdl --reference --seed 7").status == 0);
}

TEST_CASE("what inputs a unit apart explain is no layer's fault, what they do not is") {
  const Shell shell;
  for (const bool fault : {false, true}) {
    write_source(shell, deep_model(58, -127));
    REQUIRE(shell.run("convert m.onnx -o m.mdl").status == 0);
    write_source(shell, deep_model(62, fault ? 127 : -127));
    const Outcome outcome = shell.run("compare m.mdl m.onnx --json");
    INFO(outcome.out << outcome.err);
    const nlohmann::json report = nlohmann::json::parse(outcome.out);
    std::map<std::string, nlohmann::json> tensors;
    for (const nlohmann::json& tensor : report["tensors"]) tensors[tensor["tensor"]] = tensor;
    CHECK(tensors["a_q"]["units"] == 1);
    CHECK(tensors["b_q"]["units"] > 1);
    CHECK(tensors["b_q"]["handed_on"] == !fault);
    CHECK(outcome.status == (fault ? 1 : 0));
    if (fault) CHECK(report["first"]["tensor"] == "b_q");
  }
}

TEST_CASE("goldens are compared by their names") {
  const Shell shell;
  write_chain(shell, "m.mdl", 1);
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{1, -2, 3, 4});
  shell.write_npy("relu.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{2, 0, 4, 5});
  shell.write_npy("answer.npy", MDL_FLOAT64, {4}, std::vector<double>{4, 0, 8, 10});
  shell.write_npy("wrong.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{4, 0, 8, 11});
  shell.write_npy("few.npy", MDL_FLOAT32, {1, 3}, std::vector<float>{4, 0, 8});
  const std::string run = "compare m.mdl --input x.npy ";
  CHECK(shell.json(run + "relu.npy answer.npy")["tensors"].size() == 2);
  CHECK(shell.json(run + "y=answer.npy")["tensors"][0]["tensor"] == "y");
  struct Case {
    const char* arguments;
    const char* says;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"wrong.npy", "'y', made by Mul"},
           {"few.npy", "no tensor"},
           {"nosuch=answer.npy", "'nosuch'"},
           {"absent.npy", "absent.npy"},
           {"m.mdl m.mdl", "one model"},
           {"absent.onnx", "absent.onnx"},
           {"absent.mdl", "absent.mdl"},
           {"m.mdl --input few.npy", "few.npy"},
       }) {
    const Outcome outcome = shell.run(run + c.arguments);
    INFO(c.arguments << "\n" << outcome.err);
    CHECK(outcome.status == 1);
    CHECK(outcome.err.find(c.says) != std::string::npos);
  }
}

TEST_CASE("what overflows, or is compared with what is not a number, is over every bound") {
  const Shell shell;
  write_chain(shell, "m.mdl", 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{1, -2, 3, 4});
  shell.write_npy("y.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{4, nan, 8, 10});
  CHECK(shell.run("compare m.mdl --input x.npy y.npy --bound 1e9").status == 1);
}

}  // namespace medulla::test
