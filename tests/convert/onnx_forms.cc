// SPDX-License-Identifier: Apache-2.0
// The ONNX importer: forms of every opset come out alike.
#include <cstring>

#include "tests/convert/imported.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("a model of an old opset is brought to a newer one") {
  const Folder folder;
  OnnxModel old(6);
  old.input("x", {1});
  old.node("Relu", {"x"}, {"y"});
  old.output("y", {1});
  const ConvertReport report = convert(old.write(folder));
  CHECK(report.refusals.empty());
  CHECK(report.nodes_after == std::map<std::string, size_t>{{"Relu", 1}});
}

TEST_CASE("parameters are attributes in every opset") {
  const auto old_or_new = [](int64_t opset, int64_t since, const std::string& name,
                             const std::vector<int64_t>& values, OnnxModel& m,
                             std::vector<std::string>& inputs) {
    if (opset >= since) {
      m.ints(name, values);
      inputs.push_back(name);
    }
  };
  SECTION("Slice") {
    for (const int64_t opset : {9, 13}) {
      OnnxModel m(opset);
      m.input("x", {2, 3});
      std::vector<std::string> inputs = {"x"};
      old_or_new(opset, 10, "starts", {-2}, m, inputs);
      old_or_new(opset, 10, "ends", {1000}, m, inputs);
      old_or_new(opset, 10, "axes", {-1}, m, inputs);
      auto* node = m.node("Slice", inputs, {"y"});
      if (opset < 10) {
        set_ints(node, "starts", {-2});
        set_ints(node, "ends", {1000});
        set_ints(node, "axes", {1});
      }
      m.output("y", {2, 2});
      CHECK(run_counted(m) == Floats{1, 2, 4, 5});
    }
  }
  SECTION("Squeeze and Unsqueeze") {
    for (const int64_t opset : {11, 13}) {
      OnnxModel m(opset);
      m.input("x", {1, 3, 1});
      std::vector<std::string> squeeze = {"x"}, unsqueeze = {"s"};
      old_or_new(opset, 13, "a", {0}, m, squeeze);
      old_or_new(opset, 13, "b", {-1}, m, unsqueeze);
      auto* s = m.node("Squeeze", squeeze, {"s"});
      auto* y = m.node("Unsqueeze", unsqueeze, {"y"});
      if (opset < 13) {
        set_ints(s, "axes", {0});
        set_ints(y, "axes", {-1});
      }
      m.output("y", {3, 1, 1});
      CHECK(run_counted(m) == Floats{0, 1, 2});
    }
  }
  SECTION("Pad") {
    for (const int64_t opset : {10, 13}) {
      OnnxModel m(opset);
      m.input("x", {2});
      std::vector<std::string> inputs = {"x"};
      old_or_new(opset, 11, "pads", {1, 2}, m, inputs);
      if (opset >= 11) {
        m.floats("value", {}, {9});
        inputs.push_back("value");
      }
      auto* node = m.node("Pad", inputs, {"y"});
      if (opset < 11) {
        set_ints(node, "pads", {1, 2});
        set_float(node, "value", 9);
      }
      m.output("y", {5});
      CHECK(run_counted(m) == Floats{9, 0, 1, 9, 9});
    }
  }
  SECTION("Clip") {
    for (const int64_t opset : {7, 11}) {
      OnnxModel m(opset);
      m.input("x", {4});
      if (opset >= 11) m.floats("max", {}, {2});
      auto* node =
          opset < 11 ? m.node("Clip", {"x"}, {"y"}) : m.node("Clip", {"x", "", "max"}, {"y"});
      if (opset < 11) set_float(node, "max", 2);
      m.output("y", {4});
      CHECK(run_counted(m) == Floats{0, 1, 2, 2});
    }
  }
  SECTION("ReduceSum") {
    for (const int64_t opset : {11, 13}) {
      OnnxModel m(opset);
      m.input("x", {2, 3});
      std::vector<std::string> inputs = {"x"};
      old_or_new(opset, 13, "axes", {-1}, m, inputs);
      auto* node = m.node("ReduceSum", inputs, {"y"});
      if (opset < 13) set_ints(node, "axes", {-1});
      set_int(node, "keepdims", 0);
      m.output("y", {2});
      CHECK(run_counted(m) == Floats{3, 12});
    }
  }
  SECTION("Split") {
    for (const int64_t opset : {11, 13}) {
      OnnxModel m(opset);
      m.input("x", {3});
      std::vector<std::string> inputs = {"x"};
      old_or_new(opset, 13, "sizes", {1, 2}, m, inputs);
      auto* node = m.node("Split", inputs, {"a", "y"});
      if (opset < 13) set_ints(node, "split", {1, 2});
      m.output("y", {2});
      CHECK(run_counted(m) == Floats{1, 2});
    }
  }
}

TEST_CASE("Softmax before opset 13 runs over all dimensions from its axis on") {
  OnnxModel m(12);
  m.input("x", {1, 2, 2});
  set_int(m.node("Softmax", {"x"}, {"y"}), "axis", 1);
  m.output("y", {1, 2, 2});
  float sum = 0;
  for (const float y : run_counted(m)) sum += y;
  CHECK(sum == Approx(1.0f));
}

TEST_CASE("auto_pad is resolved") {
  const auto pads = [](const char* mode) {
    OnnxModel m(13);
    m.input("x", {1, 1, 5, 6});
    m.floats("w", {1, 1, 3, 4}, Floats(12, 1.0f));
    auto* node = m.node("Conv", {"x", "w"}, {"y"});
    set_string(node, "auto_pad", mode);
    set_ints(node, "strides", {2, 1});
    m.output("y", {1, 1, -1, -1});
    const Model model = imported(m);
    for (const Node& n : model.main().nodes) {
      if (n.op == "Conv") return n.get<Dims>("pads", {});
    }
    return Dims();
  };
  CHECK(pads("SAME_UPPER") == Dims{1, 1, 1, 2});
  CHECK(pads("SAME_LOWER") == Dims{1, 2, 1, 1});
  CHECK(pads("VALID") == Dims{0, 0, 0, 0});
}

TEST_CASE("quantized uint8 becomes int8 and means the same") {
  OnnxModel m(13);
  m.input("x", {6});
  m.floats("s", {}, {0.5f});
  m.bytes("z", {}, onnx::TensorProto::UINT8, {3});
  m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  m.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  m.node("Relu", {"d"}, {"y"});
  m.output("y", {6});
  CHECK(run_counted(m) == Floats{0, 1, 2, 3, 4, 5});
  const Model model = imported(m);
  for (const Tensor& tensor : model.main().tensors) {
    CHECK(tensor.dtype != MDL_UINT8);
    if (tensor.quantization) CHECK(tensor.quantization->zero_points[0] == -125);
  }
}

TEST_CASE("scores are compared with a threshold that is known at run time") {
  const auto model = [](bool constant) {
    OnnxModel m(17);
    m.floats("boxes", {1, 3, 4}, {0, 0, 1, 1, 0, 0, 1, 0.9f, 2, 2, 3, 3});
    m.input("scores", {1, 1, 3});
    m.ints("most", {3});
    m.floats("overlap", {1}, {0.5f});
    if (constant) m.floats("least", {1}, {0.25f});
    if (!constant) m.input("least", {1});
    m.node("NonMaxSuppression", {"boxes", "scores", "most", "overlap", "least"}, {"y"});
    m.output("y", {-1, 3}, onnx::TensorProto::INT64);
    return imported(m);
  };
  for (const Floats& scores : {Floats{0.5f, 0.75f, 0.25f}, Floats{0.5f, 0.25f, 0.75f}}) {
    const auto wanted = run_graph(model(true).main(), {as_bytes(scores)});
    const auto found = run_graph(model(false).main(), {as_bytes(scores), as_bytes(Floats{0.25f})});
    CHECK(!wanted[0].empty());
    CHECK(found[0] == wanted[0]);
  }
}

TEST_CASE("as many of the greatest are taken as is known at run time") {
  OnnxModel m(13);
  m.input("x", {2, 4});
  m.input("k", {1}, onnx::TensorProto::INT64);
  m.node("TopK", {"x", "k"}, {"values", "indices"});
  m.output("values", {2, -1});
  m.output("indices", {2, -1}, onnx::TensorProto::INT64);
  const Model model = imported(m);
  const Floats x = {3, 1, 4, 2, 5, 9, 2, 6};
  const auto run = [&](int64_t k) {
    const auto* first = reinterpret_cast<const std::byte*>(&k);
    const auto count = std::make_shared<const Bytes>(first, first + sizeof(k));
    return run_graph(model.main(), {as_bytes(x), count});
  };
  CHECK(to_floats(run(2)[0]) == Floats{4, 3, 9, 6});
  CHECK(to_floats(run(4)[0]) == Floats{4, 3, 2, 1, 9, 6, 5, 2});
  CHECK(run(0)[0].empty());
  std::vector<int64_t> indices(4);
  const Bytes found = run(2)[1];
  REQUIRE(found.size() == 4 * sizeof(int64_t));
  std::memcpy(indices.data(), found.data(), found.size());
  CHECK(indices == std::vector<int64_t>{2, 0, 1, 3});
}
