// SPDX-License-Identifier: Apache-2.0
// Quantized models whose numbers are at the ends of what can be, and past them.
#include <cmath>
#include <limits>

#include "tests/convert/refused.h"
#include "tests/convert/runner.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// x -> QuantizeLinear -> DequantizeLinear -> Gemm of int8 weights -> y, quantized again or not.
struct Dense {
  int64_t inputs = 4, outputs = 2;
  float s_x = 0.5f, s_w = 0.25f, s_y = 0.5f;
  int8_t z_x = 0, z_y = 0;
  std::vector<int8_t> w = std::vector<int8_t>(8, 1);
  std::vector<int32_t> bias;
  float s_bias = 0.125f;
  bool quantized = true;

  OnnxModel model() const {
    OnnxModel m(17);
    m.input("x", {1, inputs});
    m.output("y", {1, outputs});
    m.floats("x_scale", {}, {s_x});
    m.floats("w_scale", {}, {s_w});
    m.floats("y_scale", {}, {s_y});
    m.bytes("x_zero", {}, onnx::TensorProto::INT8, {z_x});
    m.bytes("y_zero", {}, onnx::TensorProto::INT8, {z_y});
    m.constant("w", {inputs, outputs}, onnx::TensorProto::INT8)
        ->set_raw_data(std::string(w.begin(), w.end()));
    m.node("QuantizeLinear", {"x", "x_scale", "x_zero"}, {"xq"});
    m.node("DequantizeLinear", {"xq", "x_scale", "x_zero"}, {"xr"});
    m.node("DequantizeLinear", {"w", "w_scale"}, {"wr"});
    std::vector<std::string> operands = {"xr", "wr"};
    if (!bias.empty()) {
      m.bytes("b", {outputs}, onnx::TensorProto::INT32, bias);
      m.floats("b_scale", {}, {s_bias});
      m.node("DequantizeLinear", {"b", "b_scale"}, {"br"});
      operands.push_back("br");
    }
    m.node("Gemm", operands, {quantized ? "sum" : "y"});
    if (!quantized) return m;
    m.node("QuantizeLinear", {"sum", "y_scale", "y_zero"}, {"yq"});
    m.node("DequantizeLinear", {"yq", "y_scale", "y_zero"}, {"y"});
    return m;
  }
};

std::vector<float> run(const OnnxModel& model, const std::vector<float>& x,
                       const char* backends = nullptr) {
  const Folder folder;
  Runner runner(model.write(folder), backends);
  runner.set(0, x);
  runner.run();
  return runner.get(0);
}

}  // namespace

TEST_CASE("a scale that is not positive, finite and normal is refused with its tensor") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto [value, text] =
      GENERATE_COPY(table<float, std::string>({{0.0f, "is 0,"},
                                               {-0.5f, "is -0.5,"},
                                               {kInfinity, "is inf,"},
                                               {std::nanf(""), "is nan,"},
                                               {1e-40f, "is 9.99995e-41,"}}));
  Dense d;
  SECTION("of the input") {
    d.s_x = value;
    check_refused(d.model(), {"'xq_node'", "scale 0 in 'x_scale' " + text, "should be above 0"});
  }
  SECTION("of weights") {
    d.s_w = value;
    check_refused(d.model(), {"'wr_node'", "scale 0 in 'w_scale' " + text, "should be above 0"});
  }
  SECTION("of the output") {
    d.s_y = value;
    check_refused(d.model(), {"'yq_node'", "scale 0 in 'y_scale' " + text, "should be above 0"});
  }
}

TEST_CASE("scales whose multiplier is not normal are refused with the node") {
  Dense d;
  d.s_x = 1e-20f;
  d.s_w = 1e-20f;
  check_refused(d.model(), {"'sum_node' (QGemm): multiplier 0 is 0", "which is not normal"});
  d.s_x = d.s_w = 1e25f;
  check_refused(d.model(), {"'sum_node' (QGemm): multiplier 0 is inf", "which is not normal"});
}

TEST_CASE("zero points are as many as scales") {
  OnnxModel m(17);
  m.input("x", {1, 2});
  m.output("y", {1, 2}, onnx::TensorProto::INT8);
  m.floats("scale", {2}, {0.5f, 0.25f});
  m.bytes("zero", {1}, onnx::TensorProto::INT8, {3});
  m.node("QuantizeLinear", {"x", "scale", "zero"}, {"y"});
  check_refused(m, {"'zero' has 1 zero points, should have one for each of 2 scales"});
}

TEST_CASE("a layer whose sums may leave int32 is refused by name, with what they reach") {
  Dense d;
  d.inputs = 70000;
  d.outputs = 1;
  d.z_x = -128;
  d.w.assign(70000, 127);
  check_refused(d.model(), {"node 'sum_node' (QGemm): the sums of channel 0 may reach from 0 to "
                            "2266950000, should fit 32 bits"});
  d.w.assign(70000, 120);
  d.bias = {5483649};
  check_refused(d.model(), {"channel 0 may reach from 5483649 to 2147483649"});
}

TEST_CASE("a product of two activations whose sums may leave int32 is refused by name") {
  OnnxModel m(17);
  m.floats("scale", {}, {0.5f});
  m.bytes("zero", {}, onnx::TensorProto::INT8, {-128});
  const auto quantize = [&](const std::string& t) {
    m.node("QuantizeLinear", {t, "scale", "zero"}, {t + "q"});
    m.node("DequantizeLinear", {t + "q", "scale", "zero"}, {t + "r"});
  };
  m.input("a", {1, 40000});
  m.input("b", {40000, 1});
  m.output("yr", {1, 1});
  quantize("a");
  quantize("b");
  m.node("MatMul", {"ar", "br"}, {"y"});
  quantize("y");
  check_refused(m, {"node 'y_node' (QMatMul): the sums of 40000 products from 0 to 65025"});
}

TEST_CASE("a dense layer of 524288 inputs whose sums fit is taken, and exact") {
  Dense d;
  d.inputs = 524288;
  d.outputs = 3;
  d.s_x = d.s_w = 1;
  d.z_x = -128;
  d.quantized = false;
  d.w.clear();
  std::vector<float> x;
  std::vector<int64_t> sums(3, 0);
  for (int64_t k = 0; k < d.inputs; ++k) {
    x.push_back(static_cast<float>(k % 7 == 0 ? k % 256 : 255));
    for (size_t c = 0; c < 3; ++c) {
      const int64_t weight = c == 0 ? 16 : (c == 1 ? -16 : k % 33 - 16);
      d.w.push_back(static_cast<int8_t>(weight));
      sums[c] += weight * static_cast<int64_t>(x.back());
    }
  }
  for (const char* backends : {"cpu", "reference"}) {
    const std::vector<float> y = run(d.model(), x, backends);
    for (size_t c = 0; c < 3; ++c) CHECK(y[c] == static_cast<float>(sums[c]));
  }
}

TEST_CASE("a bias of another scale is rounded to the products', and that is noted") {
  Dense d;
  d.w.assign(8, 0);
  d.s_y = 0.125f;
  d.bias = {10, -7};
  const auto notes = [](const OnnxModel& model) {
    const Folder folder;
    return convert(model.write(folder)).notes;
  };
  CHECK(notes(d.model()).empty());
  CHECK(run(d.model(), {0, 0, 0, 0}) == std::vector<float>{1.25f, -0.875f});
  // Within 2^-22 of the products' scale a bias is taken as it is.
  d.s_bias = std::nextafter(0.125f, 1.0f);
  CHECK(notes(d.model()).empty());
  // 10 * 0.19 / 0.125 = 15.2, -7 * 0.19 / 0.125 = -10.64
  d.s_bias = 0.19f;
  CHECK(notes(d.model()) == std::vector<std::string>{"node 'sum_node': bias rounded to int32"});
  CHECK(run(d.model(), {0, 0, 0, 0}) == std::vector<float>{1.875f, -1.375f});
}

TEST_CASE("integers that are read with another scale than they were made with keep their bytes") {
  OnnxModel m(17);
  m.input("x", {5});
  m.output("y", {5});
  m.floats("s", {}, {0.5f});
  m.floats("other", {}, {0.25f});
  m.bytes("z", {}, onnx::TensorProto::INT8, {3});
  m.bytes("other_z", {}, onnx::TensorProto::INT8, {-1});
  m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  m.node("DequantizeLinear", {"q", "other", "other_z"}, {"y"});
  // q is 3, 5, -5, 127, -128
  CHECK(run(m, {0, 1, -4, 1000, -1000}) == std::vector<float>{1, 1.5f, -1, 32, -31.75f});
}

TEST_CASE("integers of 16 bits may be read with another scale too") {
  OnnxModel m(21);
  m.input("x", {5});
  m.output("y", {5});
  m.floats("s", {}, {0.5f});
  m.floats("other", {}, {0.25f});
  m.bytes("z", {}, onnx::TensorProto::INT16, {0});
  m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  m.node("DequantizeLinear", {"q", "other", "z"}, {"y"});
  CHECK(run(m, {0, 1, -4, 1000, -1000}) == std::vector<float>{0, 0.5f, -2, 500, -500});
}

// x -> QuantizeLinear of int16 -> Conv of int8 weights -> Relu -> QuantizeLinear -> y.
TEST_CASE("a convolution of int16 activations is an integer node") {
  OnnxModel m(21);
  m.input("x", {1, 1, 4});
  m.output("y", {1, 1, 4});
  m.floats("x_scale", {}, {1.0f / 1024});
  m.floats("w_scale", {}, {0.5f});
  m.floats("b_scale", {}, {1.0f / 2048});
  m.floats("y_scale", {}, {1.0f / 256});
  m.bytes("x_zero", {}, onnx::TensorProto::INT16, {-100});
  m.bytes("y_zero", {}, onnx::TensorProto::INT16, {200});
  m.bytes("w", {1, 1, 2}, onnx::TensorProto::INT8, {2, -1});
  m.bytes("b", {1}, onnx::TensorProto::INT32, {1024});
  m.node("QuantizeLinear", {"x", "x_scale", "x_zero"}, {"xq"});
  m.node("DequantizeLinear", {"xq", "x_scale", "x_zero"}, {"xr"});
  m.node("DequantizeLinear", {"w", "w_scale"}, {"wr"});
  m.node("DequantizeLinear", {"b", "b_scale"}, {"br"});
  set_ints(m.node("Conv", {"xr", "wr", "br"}, {"sum"}), "pads", {0, 1});
  m.node("Relu", {"sum"}, {"positive"});
  m.node("QuantizeLinear", {"positive", "y_scale", "y_zero"}, {"yq"});
  m.node("DequantizeLinear", {"yq", "y_scale", "y_zero"}, {"y"});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.output = folder.file("out.mdl");
  const ConvertReport report = convert(options);
  std::map<std::string, size_t> made = report.nodes_after;
  made.erase("Reshape");
  CHECK(made == std::map<std::string, size_t>{
                    {"QuantizeLinear", 1}, {"QConv", 1}, {"DequantizeLinear", 1}});
  // x - x / 2 of the next, half a one added; cut below 0.
  for (const char* backends : {static_cast<const char*>(nullptr), "reference"}) {
    CHECK(run(m, {1, 2, -4, 3}, backends) == std::vector<float>{0.5f, 4.5f, 0, 3.5f});
  }
}

TEST_CASE("integers that are quantized again are multiplied by the scales' quotient, once") {
  // From steps of 0.1 through those of 0.3 to those of 0.7, without and with a table between.
  const float s[] = {0.1f, 0.3f, 0.7f};
  const bool table = GENERATE(false, true);
  OnnxModel m(17);
  m.input("x", {256});
  m.output("y", {256});
  m.bytes("z", {}, onnx::TensorProto::INT8, {0});
  for (size_t i = 0; i < 3; ++i) m.floats("s" + std::to_string(i), {}, {s[i]});
  m.node("QuantizeLinear", {"x", "s0", "z"}, {"q0"});
  m.node("DequantizeLinear", {"q0", "s0", "z"}, {"r0"});
  if (table) m.node("Neg", {"r0"}, {"f0"});
  m.node("QuantizeLinear", {table ? "f0" : "r0", "s1", "z"}, {"q1"});
  m.node("DequantizeLinear", {"q1", "s1", "z"}, {"r1"});
  m.node("QuantizeLinear", {"r1", "s2", "z"}, {"q2"});
  m.node("DequantizeLinear", {"q2", "s2", "z"}, {"y"});
  const auto k = [&](size_t from) {
    return static_cast<float>(static_cast<double>(s[from]) / static_cast<double>(s[from + 1]));
  };
  std::vector<float> x, expected;
  for (int q = -128; q < 128; ++q) {
    x.push_back(static_cast<float>(q) * s[0]);
    const float first =
        table ? -(static_cast<float>(q) * s[0]) / s[1] : static_cast<float>(q) * k(0);
    expected.push_back(std::nearbyint(std::nearbyint(first) * k(1)) * s[2]);
  }
  CHECK(run(m, x) == expected);
}

TEST_CASE("a grouped transposed convolution of INT8 weights is integer, with a scale a channel") {
  // x[1, 4, 3], w[4, 2, 2] in two groups of two outputs each.
  const bool per_channel = GENERATE(false, true);
  OnnxModel m(17);
  m.input("x", {1, 4, 3});
  m.output("y", {1, 4, 6});
  m.floats("x_scale", {}, {0.5f});
  m.floats("w_scale", per_channel ? std::vector<int64_t>{2} : std::vector<int64_t>{},
           per_channel ? std::vector<float>{0.25f, 0.5f} : std::vector<float>{0.25f});
  m.floats("y_scale", {}, {0.125f});
  m.bytes("zero", {}, onnx::TensorProto::INT8, {0});
  std::string w;
  for (int i = 0; i < 16; ++i) w.push_back(static_cast<char>(i - 7));
  m.constant("w", {4, 2, 2}, onnx::TensorProto::INT8)->set_raw_data(w);
  m.node("QuantizeLinear", {"x", "x_scale", "zero"}, {"xq"});
  m.node("DequantizeLinear", {"xq", "x_scale", "zero"}, {"xr"});
  set_int(m.node("DequantizeLinear", {"w", "w_scale"}, {"wr"}), "axis", 1);
  onnx::NodeProto* up = m.node("ConvTranspose", {"xr", "wr"}, {"sum"});
  set_int(up, "group", 2);
  set_ints(up, "strides", {2});
  m.node("QuantizeLinear", {"sum", "y_scale", "zero"}, {"yq"});
  m.node("DequantizeLinear", {"yq", "y_scale", "zero"}, {"y"});
  const std::vector<float> x = {0.5f, -1, 1, 0, 0.5f, 0.5f, -0.5f, 1, 0, 0.5f, 0, -1};
  // With a stride as long as the kernel each input gives two outputs.
  std::vector<float> expected;
  for (size_t o = 0; o < 4; ++o) {
    const float scale = per_channel && o % 2 == 1 ? 0.5f : 0.25f;
    for (size_t p = 0; p < 6; ++p) {
      float sum = 0;
      for (size_t i = 0; i < 2; ++i) {
        const size_t c = o / 2 * 2 + i;
        const auto weight = static_cast<int8_t>(w[(c * 2 + o % 2) * 2 + p % 2]);
        sum += x[c * 3 + p / 2] * static_cast<float>(weight) * scale;
      }
      expected.push_back(sum);
    }
  }
  CHECK(run(m, x) == expected);
  CHECK(run(m, x, "reference") == expected);
  const Folder folder;
  CHECK(convert(m.write(folder)).nodes_after.count("QConv") == 1);
}
