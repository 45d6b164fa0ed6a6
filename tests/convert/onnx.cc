// SPDX-License-Identifier: Apache-2.0
// The ONNX importer: what a file's inputs, outputs and constants become, and what is refused is
// refused with everything else that is.
#include "tests/convert/imported.h"
#include "tools/passes/pass.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("everything that cannot be taken is reported at once") {
  OnnxModel m(13);
  m.input("x", {1, 2, 4, 4});
  m.floats("scales", {4}, {1, 1, 2, 2});
  auto* resize = m.node("Resize", {"x", "", "scales"}, {"resized"});
  set_string(resize, "mode", "spline");
  m.node("Relu", {"resized"}, {"relu"});
  m.node("RandomNormalLike", {"relu"}, {"noise"});
  m.bytes("training", {}, onnx::TensorProto::BOOL, {1});
  m.node("Dropout", {"relu", "", "training"}, {"dropped", "mask"});
  m.node("RandomUniformLike", {"dropped"}, {"more"});
  m.output("noise", {1, 2, 8, 8});
  m.output("more", {1, 2, 8, 8});
  m.output("mask", {1, 2, 8, 8}, onnx::TensorProto::BOOL);
  const Folder folder;
  const ConvertOptions options = m.write(folder);
  const ConvertReport report = convert(options);
  REQUIRE(report.refusals.size() == 4);
  CHECK(report.refusals[0].text() ==
        "'resized_node' (Resize, opset 13), mode: mode spline is not taken; export with "
        "mode=linear, cubic or nearest");
  CHECK(report.refusals[1].op == "RandomNormalLike");
  CHECK(report.refusals[2].op == "Dropout");
  CHECK(report.refusals[3].op == "RandomUniformLike");
  for (const Refusal& refusal : report.refusals) CHECK(!refusal.rewrite.empty());
  CHECK(!std::filesystem::exists(options.output));
}

TEST_CASE("files that are no models are refused") {
  const Folder folder;
  ConvertOptions options;
  options.input = folder.file("absent.onnx");
  options.output = folder.file("out.mdl");
  CHECK(convert(options).refusals.size() == 1);
  options.input = folder.file("");
  CHECK(convert(options).refusals.size() == 1);
  options.input = folder.file("noise.onnx");
  std::ofstream(options.input) << "not a model";
  CHECK(convert(options).refusals.size() == 1);
}

TEST_CASE("an input becomes a constant by its given value") {
  const Folder folder;
  OnnxModel m(13);
  m.input("x", {2, 3});
  m.input("shape", {1}, onnx::TensorProto::INT64);
  m.node("Reshape", {"x", "shape"}, {"y"});
  m.output("y", {6});
  ConvertOptions options = m.write(folder);
  CHECK(convert(options).refusals.at(0).fixable == std::vector<std::string>{"shape"});

  const std::vector<int64_t> six = {6};
  const auto* first = reinterpret_cast<const std::byte*>(six.data());
  options.fixed["shape"] = {MDL_INT64, {1}, {first, first + 8}};
  ConvertReport report;
  const Model model = import_and_optimize(options, report);
  REQUIRE(report.refusals.empty());
  CHECK(model.main().inputs.size() == 1);
  CHECK(model.main().tensors[static_cast<size_t>(model.main().outputs[0])].dims == Dims{6});

  options.fixed["shape"].shape = {1, 1};
  CHECK(convert(options).refusals.at(0).text().find("fixed to values of another shape") !=
        std::string::npos);
  options.fixed["shape"] = {MDL_INT32, {1}, {first, first + 4}};
  CHECK(convert(options).refusals.at(0).text().find("should be int64") != std::string::npos);
  options.fixed = {{"z", {MDL_INT64, {1}, {first, first + 8}}}};
  CHECK(convert(options).refusals.at(0).text().find("'z'") != std::string::npos);
}

TEST_CASE("a constant's external data lies below the model's folder") {
  OnnxModel m(13);
  m.input("x", {2});
  auto* w = m.constant("w", {2}, onnx::TensorProto::FLOAT);
  w->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = w->add_external_data();
  location->set_key("location");
  auto* offset = w->add_external_data();
  offset->set_key("offset");
  offset->set_value("4");
  m.node("Mul", {"x", "w"}, {"y"});
  m.output("y", {2});
  const Folder folder;
  const float values[] = {1, 5, 6};
  std::ofstream(folder.file("weights.bin"), std::ios::binary)
      .write(reinterpret_cast<const char*>(values), sizeof(values));
  ConvertReport report;
  SECTION("is read from its offset") {
    location->set_value("weights.bin");
    const Model model = import_and_optimize(m.write(folder), report);
    REQUIRE(report.refusals.empty());
    CHECK(tools::to_floats(run_graph(model.main(), {as_bytes({1, 2})})[0]) == Floats{5, 12});
  }
  SECTION("may not leave it") {
    location->set_value("../weights.bin");
    import_and_optimize(m.write(folder), report);
    CHECK(report.refusals.size() == 1);
  }
  SECTION("may not end early") {
    location->set_value("weights.bin");
    offset->set_value("8");
    import_and_optimize(m.write(folder), report);
    CHECK(report.refusals.size() == 1);
  }
}

TEST_CASE("a first dimension is the batch, others want a maximum") {
  OnnxModel m(13);
  m.input("x", {-1, 3});
  m.node("Relu", {"x"}, {"y"});
  m.output("y", {-1, 3});
  SECTION("1 by default, with a note") {
    ConvertReport report;
    const Model model = imported(m, &report);
    CHECK(report.notes.size() == 1);
    CHECK(model.main().tensors[0].dims == Dims{1, 3});
    CHECK(model.main().tensors[0].symbols.empty());
  }
  SECTION("a maximum makes it vary, in the output too") {
    const Model model = imported(m, nullptr, {{"N", 4}});
    for (const Tensor& tensor : model.main().tensors) {
      CHECK(tensor.dims == Dims{4, 3});
      CHECK(tensor.symbols == std::vector<std::string>{"N", ""});
    }
  }
  SECTION("a maximum of no dimension") {
    ConvertReport report;
    imported(m, &report, {{"M", 4}});
    CHECK(report.refusals.at(0).rewrite == "there is: N");
  }
  SECTION("not the first") {
    OnnxModel late(13);
    late.input("x", {3, -1});
    late.node("Relu", {"x"}, {"y"});
    late.output("y", {3, -1});
    ConvertReport report;
    imported(late, &report);
    REQUIRE(report.refusals.size() == 1);
    CHECK(report.refusals[0].rewrite ==
          "--max N=MAXIMUM, or --fix-dim N=EXTENT for one extent only");
  }
}

TEST_CASE("arithmetic on shapes is folded") {
  OnnxModel m(13);
  m.input("x", {2, 3, 4});
  m.ints("zero", {0});
  m.ints("rest", {-1});
  m.node("Shape", {"x"}, {"shape"});
  m.node("Gather", {"shape", "zero"}, {"batch"});
  m.node("Concat", {"batch", "rest"}, {"target"})->add_attribute()->set_name("axis");
  m.proto.mutable_graph()->mutable_node(2)->mutable_attribute(0)->set_type(
      onnx::AttributeProto::INT);
  m.node("Reshape", {"x", "target"}, {"y"});
  m.output("y", {2, 12});
  const Model model = imported(m);
  REQUIRE(model.main().nodes.size() == 1);
  CHECK(model.main().nodes[0].op == "Reshape");
}

TEST_CASE("a model means the same without any one pass") {
  OnnxModel m(13);
  m.input("x", {1, 3, 6, 6});
  m.floats("w", {4, 3, 3, 3}, random_floats(108, 1));
  for (const char* name : {"scale", "bias", "mean"}) m.floats(name, {4}, random_floats(4, 2));
  m.floats("variance", {4}, {1, 2, 3, 4});
  m.floats("dense", {4, 2}, random_floats(8, 3));
  m.node("Conv", {"x", "w"}, {"conv"});
  m.node("BatchNormalization", {"conv", "scale", "bias", "mean", "variance"}, {"norm"});
  m.node("Sigmoid", {"norm"}, {"gate"});
  m.node("Mul", {"norm", "gate"}, {"swish"});
  m.node("Add", {"swish", "conv"}, {"sum"});
  m.node("GlobalAveragePool", {"sum"}, {"pool"});
  m.node("Flatten", {"pool"}, {"flat"});
  m.node("Gemm", {"flat", "dense"}, {"y"});
  m.output("y", {1, 2});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  ConvertReport report;
  const auto x = as_bytes(random_floats(108, 4));
  const Model whole = import_and_optimize(options, report);
  const Floats expected = tools::to_floats(run_graph(whole.main(), {x})[0]);
  for (const Pass& pass : all_passes()) {
    options.no_passes = {pass.name};
    const Model model = import_and_optimize(options, report);
    const Floats found = tools::to_floats(run_graph(model.main(), {x})[0]);
    INFO(pass.name);
    REQUIRE(found.size() == 2);
    for (size_t i = 0; i < 2; ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-5));
  }
  options.no_passes = {"no_such_pass"};
  CHECK_THROWS(import_and_optimize(options, report));
}

TEST_CASE("a pair of input and output becomes a state") {
  OnnxModel m(13);
  m.input("x", {4});
  m.input("h", {4});
  m.node("Add", {"x", "h"}, {"next"});
  m.node("Relu", {"next"}, {"y"});
  m.output("y", {4});
  m.output("next", {4});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  ConvertReport report;
  options.states = {{"h", "next"}};
  const Model model = import_and_optimize(options, report);
  REQUIRE(report.refusals.empty());
  CHECK(model.main().inputs.size() == 1);
  CHECK(model.main().outputs.size() == 1);
  REQUIRE(model.main().states.size() == 1);
  ConvertReport wrong;
  options.states = {{"h", "nothing"}};
  import_and_optimize(options, wrong);
  CHECK(wrong.refusals.size() == 1);
}
