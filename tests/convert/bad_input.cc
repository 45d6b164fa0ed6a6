// SPDX-License-Identifier: Apache-2.0
// What a file that is wrong, or hostile, is answered: everything at once, by name, and no model.
#include <sys/resource.h>

#include "tests/catch.h"
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

OnnxModel one_relu() {
  OnnxModel m(13);
  m.input("x", {2});
  m.node("Relu", {"x"}, {"y"});
  m.output("y", {2});
  return m;
}

long peak_kilobytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("twelve nodes that cannot be taken are twelve reasons") {
  OnnxModel m(13);
  m.input("x", {1, 2, 4, 4});
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i);
    // One that ONNX does not know, one of another domain, one with an attribute that is none.
    auto* node = m.node(i % 3 == 2 ? "Relu" : "Nosuch" + n, {"x"}, {"y" + n});
    if (i % 3 == 1) node->set_domain("com.example");
    if (i % 3 == 2) set_int(node, "nosuch", 1);
    m.output("y" + n, {1, 2, 4, 4});
  }
  const std::vector<Refusal> refusals = refusals_of(m);
  REQUIRE(refusals.size() == 12);
  for (size_t i = 0; i < 12; ++i) {
    CHECK(refusals[i].node == "y" + std::to_string(i) + "_node");
    CHECK(refusals[i].reason.find(i % 3 == 2 ? "attribute: nosuch" : "no such operator") !=
          std::string::npos);
  }
}

TEST_CASE("reasons say what is there and what would be right") {
  SECTION("of an element type") {
    OnnxModel m = one_relu();
    m.constant("w", {2}, onnx::TensorProto::COMPLEX64);
    check_refused(m, {"'w'", "element type COMPLEX64"});
  }
  SECTION("of an extent below 0") {
    OnnxModel m = one_relu();
    m.constant("w", {2, -4}, onnx::TensorProto::FLOAT);
    check_refused(m, {"'w'", "[2,-4]", "an extent below 0"});
  }
  SECTION("of the order of nodes") {
    OnnxModel m(13);
    m.input("x", {2});
    m.node("Relu", {"a"}, {"y"});
    m.node("Neg", {"x"}, {"a"});
    m.output("y", {2});
    check_refused(m, {"reads 'a', which 'a_node' makes", "list nodes behind"});
  }
  SECTION("of a Range") {
    OnnxModel m = one_relu();
    m.floats("zero", {}, {0});
    m.floats("many", {}, {1e10f});
    m.floats("step", {}, {1});
    m.node("Range", {"zero", "many", "step"}, {"r"});
    m.output("r", {-1});
    check_refused(m, {"'r_node' (Range", "has 1e+10 elements"});
  }
}

TEST_CASE("a declared shape that contradicts its node is told with both") {
  OnnxModel m(13);
  m.input("x", {1, 3, 8, 8});
  m.floats("w", {4, 3, 3, 3}, Floats(108, 1.0f));
  m.node("Conv", {"x", "w"}, {"inner"});
  m.node("Relu", {"inner"}, {"y"});
  m.output("y", {1, 4, 6, 6});
  SECTION("inside") {
    m.value(m.proto.mutable_graph()->add_value_info(), "inner", {1, 4, 8, 8});
    check_refused(m, {"'inner_node' (Conv", "'inner'", "[1,4,8,8]", "[1,4,6,6]"});
  }
  SECTION("of an output") {
    m.proto.mutable_graph()->clear_output();
    m.output("y", {1, 4, 36});
    check_refused(m, {"'y_node' (Relu", "'y'", "[1,4,36]", "[1,4,6,6]"});
  }
  SECTION("but an extent may be left open") {
    m.proto.mutable_graph()->clear_output();
    m.output("y", {-1, 4, -1, 6});
    const Folder folder;
    CHECK(convert(m.write(folder)).refusals.empty());
  }
}

TEST_CASE("a declared dtype that contradicts its node is told with both") {
  OnnxModel m(13);
  m.input("x", {2});
  m.node("Relu", {"x"}, {"inner"});
  m.node("Relu", {"inner"}, {"y"});
  SECTION("of an output") {
    m.output("y", {2}, onnx::TensorProto::INT64);
    check_refused(m, {"'y_node' (Relu", "'y' is declared int64, its node makes float32"});
  }
  SECTION("inside") {
    m.output("y", {2});
    m.value(m.proto.mutable_graph()->add_value_info(), "inner", {2}, onnx::TensorProto::UINT8);
    check_refused(m, {"'inner_node' (Relu", "'inner' is declared uint8, its node makes float32"});
  }
}

TEST_CASE("names of any bytes are told so that they can be printed") {
  OnnxModel m(13);
  m.input("x", {2});
  m.node("No\xff\xfe\x1b", {"x"}, {"y"});
  m.output("y", {2});
  check_refused(m, {"(No\\xff\\xfe\\x1b, opset 13)"});
  const Folder folder;
  CHECK(convert(m.write(folder)).nodes_before.count("No\\xff\\xfe\\x1b") == 1);
}

TEST_CASE("shapes of images that are told channels last are told to be so") {
  OnnxModel m(13);
  m.input("x", {1, 3, 5, 5});
  m.output("y", {1, 2, 3, 3});
  m.floats("w", {2, 4, 3, 3}, Floats(72, 1));
  m.node("Conv", {"x", "w"}, {"y"});
  check_refused(m, {"[1,5,5,3]", "these shapes are channels-last, [N, spatial..., C]"});
}

TEST_CASE("what is made for one extent alone is refused where that can vary") {
  OnnxModel m(13);
  SECTION("Hardmax along it") {
    m.input("x", {3, -1});
    m.output("y", {3, -1});
    m.node("Hardmax", {"x"}, {"y"});
  }
  SECTION("MaxUnpool of it") {
    m.input("x", {1, 1, 2, -1});
    m.input("i", {1, 1, 2, -1}, onnx::TensorProto::INT64);
    m.output("y", {1, 1, 4, -1});
    set_ints(m.node("MaxUnpool", {"x", "i"}, {"y"}), "kernel_shape", {2, 2});
  }
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima["N"] = 6;
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 1);
  CHECK(report.refusals[0].text().find("needs a static shape") != std::string::npos);
}

TEST_CASE("an input that an operator needs is missed by name") {
  OnnxModel m(13);
  m.input("x", {1, 1, 2, 2}, onnx::TensorProto::UINT8);
  m.floats("s", {}, {0.5f});
  m.bytes("z", {}, onnx::TensorProto::UINT8, {3});
  m.bytes("w", {1, 1, 1, 1}, onnx::TensorProto::UINT8, {3});
  m.node("QLinearConv", {"x", "s", "z", "w", "s", "", "s", "z"}, {"y"});
  m.output("y", {1, 1, 2, 2}, onnx::TensorProto::UINT8);
  check_refused(m, {"'y_node' (QLinearConv", "w_zero_point"});
}

TEST_CASE("external data stays below the model's folder") {
  OnnxModel m(13);
  m.input("x", {2});
  auto* w = m.constant("w", {2}, onnx::TensorProto::FLOAT);
  w->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = w->add_external_data();
  location->set_key("location");
  m.node("Mul", {"x", "w"}, {"y"});
  m.output("y", {2});
  const Folder folder;
  const Folder other;
  for (const Folder* f : {&folder, &other}) {
    std::ofstream(f->file("weights.bin"), std::ios::binary) << "12345678";
  }
  const auto refused = [&](const std::string& path, const std::vector<std::string>& parts) {
    INFO(path);
    location->set_value(path);
    check_refused(m, parts, folder);
  };
  const std::string outside = "below the model's folder";
  const std::string elsewhere = std::filesystem::path(other.file("")).parent_path().filename();
  refused("absent.bin", {"'w'", "absent.bin"});
  refused("../" + elsewhere + "/weights.bin", {"'w'", "../", outside});
  refused("sub/../../" + elsewhere + "/weights.bin", {"'w'", outside});
  refused(other.file("weights.bin"), {"'w'", outside});
  refused("", {"'w'", outside});
  refused(".", {"'w'"});
  std::filesystem::create_symlink(other.file("weights.bin"), folder.file("link.bin"));
  refused("link.bin", {"'w'", "link.bin", outside});
  std::filesystem::create_directory_symlink(other.file(""), folder.file("linked"));
  refused("linked/weights.bin", {"'w'", outside});
  auto* entry = w->add_external_data();
  for (const char* key : {"offset", "length"}) {
    entry->set_key(key);
    for (const char* value : {"-4", "four", "", "99999999999999999999", "4096"}) {
      INFO(value);
      entry->set_value(value);
      refused("weights.bin", {"'w'"});
    }
  }
  entry->set_key("length");
  entry->set_value("8");
  location->set_value("weights.bin");
  CHECK(convert(m.write(folder)).refusals.empty());
}

TEST_CASE("a cycle is walked, a wrong order named") {
  OnnxModel m(13);
  m.input("x", {2});
  SECTION("a cycle") {
    m.node("Add", {"x", "c"}, {"a"});
    m.node("Relu", {"a"}, {"b"});
    m.node("Relu", {"b"}, {"c"});
    m.output("c", {2});
    check_refused(m, {"'a_node' (Add", "cycle",
                      "'a_node' reads 'c_node' reads 'b_node' reads "
                      "'a_node'"});
  }
  SECTION("a node that reads itself") {
    m.node("Add", {"x", "a"}, {"a"});
    m.output("a", {2});
    check_refused(m, {"'a_node' (Add", "cycle", "'a_node' reads 'a_node'"});
  }
  SECTION("a wrong order") {
    m.node("Relu", {"b"}, {"a"});
    m.node("Relu", {"x"}, {"b"});
    m.output("a", {2});
    check_refused(m, {"'a_node' (Relu", "'b'", "'b_node'", "behind"});
  }
  SECTION("nothing") {
    m.node("Relu", {"b"}, {"a"});
    m.output("a", {2});
    check_refused(m, {"'a_node' (Relu", "'b'", "nothing makes"});
  }
}

TEST_CASE("sizes that are only claimed are refused before they are taken") {
  const long before = peak_kilobytes();
  SECTION("an initializer") {
    OnnxModel m = one_relu();
    m.constant("huge", {10, 1000, 1000, 1000}, onnx::TensorProto::FLOAT)->set_raw_data("12345678");
    check_refused(m, {"'huge'", "8 bytes", "40000000000"});
  }
  SECTION("in a file of its own") {
    OnnxModel m = one_relu();
    auto* huge = m.constant("huge", {10, 1000, 1000, 1000}, onnx::TensorProto::FLOAT);
    huge->set_data_location(onnx::TensorProto::EXTERNAL);
    auto* location = huge->add_external_data();
    location->set_key("location");
    location->set_value("model.onnx");
    check_refused(m, {"'huge'", "40000000000", "model.onnx"});
  }
  SECTION("extents whose product overflows") {
    for (const auto& dims : {Dims{1LL << 32, 1LL << 32}, Dims{1LL << 62, 0, 1LL << 62}}) {
      OnnxModel m = one_relu();
      m.constant("huge", dims, onnx::TensorProto::FLOAT);
      check_refused(m, {"'huge'", std::to_string(dims[0]), "no memory"});
      OnnxModel fed(13);
      auto* input = fed.proto.mutable_graph()->add_input();
      fed.value(input, "huge", {1LL << 32, 1LL << 32});
      fed.node("Relu", {"huge"}, {"y"});
      fed.output("y", {-1, -1});
      check_refused(fed, {"'huge'", "4294967296", "no memory"});
    }
  }
  SECTION("a shape to fill") {
    OnnxModel m(13);
    m.input("x", {1});
    m.ints("shape", {10, 1000, 1000, 1000});
    m.node("ConstantOfShape", {"shape"}, {"filled"});
    m.node("Add", {"x", "filled"}, {"y"});
    m.output("y", {10, 1000, 1000, 1000});
    check_refused(m, {"'filled_node' (ConstantOfShape", "40000000000"});
  }
  SECTION("a constant to repeat") {
    OnnxModel m(13);
    m.input("x", {1});
    m.ints("shape", {10, 1000, 1000, 1000});
    m.floats("one", {1}, {1});
    m.node("Expand", {"one", "shape"}, {"filled"});
    m.node("Add", {"x", "filled"}, {"y"});
    m.output("y", {10, 1000, 1000, 1000});
    const Folder folder;
    CHECK(convert(m.write(folder)).refusals.empty());  // it is for the program's planner to say
  }
  CHECK(peak_kilobytes() - before < 1 << 20);
}

TEST_CASE("a name is given once") {
  OnnxModel m = one_relu();
  SECTION("nodes") {
    m.node("Neg", {"x"}, {"y"})->set_name("second");
    check_refused(m, {"'y'", "'y_node'", "'second'"});
  }
  SECTION("an input and a node") {
    m.node("Neg", {"y"}, {"x"});
    check_refused(m, {"'x'", "an input", "'x_node'"});
  }
  SECTION("inputs") {
    m.input("x", {2});
    check_refused(m, {"'x'", "an input and to an input"});
  }
  SECTION("initializers") {
    m.floats("w", {1}, {1});
    m.floats("w", {1}, {2});
    check_refused(m, {"'w'", "an initializer and to an initializer"});
  }
  SECTION("outputs") {
    m.output("y", {2});
    check_refused(m, {"'y'", "output of the graph and to an output of the graph"});
  }
}

TEST_CASE("inputs without a shape or a dtype of ours are refused by name") {
  OnnxModel m = one_relu();
  auto* type = m.proto.mutable_graph()->mutable_input(0)->mutable_type();
  SECTION("no rank") {
    type->mutable_tensor_type()->clear_shape();
    check_refused(m, {"'x'", "rank"});
  }
  SECTION("no tensor") {
    type->mutable_sequence_type();
    check_refused(m, {"'x'", "not a tensor"});
  }
  SECTION("strings") {
    type->mutable_tensor_type()->set_elem_type(onnx::TensorProto::STRING);
    check_refused(m, {"'x'", "element type"});
  }
}

TEST_CASE("no model of a known opset is refused for its version alone") {
  OnnxModel m(13);
  m.input("x", {2});
  m.node("Relu", {"x"}, {"y"});
  m.output("y", {2});
  for (const int64_t opset : {1, 6, 7, 18, 21, 28}) {
    for (const int64_t ir : {3, 10, 99}) {
      INFO("opset " << opset << ", IR " << ir);
      m.proto.mutable_opset_import(0)->set_version(opset);
      m.proto.set_ir_version(ir);
      const Folder folder;
      const ConvertReport report = convert(m.write(folder));
      for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
      CHECK(report.refusals.empty());
    }
  }
  m.proto.mutable_opset_import(0)->set_version(29);
  check_refused(m, {"has opset 29", "export with opset 28 or older"});
  m.proto.clear_opset_import();
  check_refused(m, {"version of ONNX's operators"});
}
