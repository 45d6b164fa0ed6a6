// SPDX-License-Identifier: Apache-2.0
// A causal model that is fed in chunks, of any lengths, gives the bytes of the whole sequence; one
// that looks ahead is refused by each node that does.
#include <cstring>
#include <numeric>

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/stream.h"
#include "tools/common/array.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr int64_t kMost = 48;  // frames of a chunk

// Columns [begin, begin + count) of the last dimension.
Floats columns(const Floats& x, int64_t extent, int64_t begin, int64_t count) {
  Floats part;
  for (size_t row = 0; row * static_cast<size_t>(extent) < x.size(); ++row) {
    const auto first = x.begin() + static_cast<ptrdiff_t>(row) * extent + begin;
    part.insert(part.end(), first, first + count);
  }
  return part;
}

// A causal net on [1, 3, T], by the numbers of `random`; quantised when asked.
class CausalModel {
 public:
  CausalModel(std::mt19937& random, bool quantized)
      : random_(random), quantized_(quantized), model(13) {
    model.input("x", {1, 3, -1});
    std::string x = quantize("x");
    int64_t channels = 3;
    for (int layer = 0; layer < 4; ++layer) x = add_layer(x, channels);
    model.node("Identity", {x}, {"y"});
    model.output("y", {1, channels, -1});
  }

  int64_t stride() const { return stride_; }

 private:
  int64_t draw(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint32_t>(most - least + 1));
  }
  uint32_t seed() { return static_cast<uint32_t>(random_()); }
  std::string fresh(const char* what) { return what + std::to_string(count_++); }

  std::string quantize(const std::string& x) {
    if (!quantized_) return x;
    const std::string s = fresh("s"), z = s + "z", q = s + "q", f = s + "f";
    model.floats(s, {}, {0.03125f});
    model.bytes(z, {}, onnx::TensorProto::INT8, {static_cast<int32_t>(draw(-9, 9))});
    model.node("QuantizeLinear", {x, s, z}, {q});
    model.node("DequantizeLinear", {q, s, z}, {f});
    return f;
  }
  std::string weights(const Dims& dims) {
    int64_t size = 1;
    for (const int64_t d : dims) size *= d;
    const std::string w = fresh("w");
    if (!quantized_) {
      model.floats(w, dims, random_floats(static_cast<size_t>(size), seed()));
      return w;
    }
    std::vector<int32_t> values(static_cast<size_t>(size));
    for (int32_t& v : values) v = static_cast<int32_t>(draw(-127, 127));
    model.bytes(w, dims, onnx::TensorProto::INT8, values);
    model.floats(w + "s", {}, {0.0078125f});
    model.bytes(w + "z", {}, onnx::TensorProto::INT8, {0});
    model.node("DequantizeLinear", {w, w + "s", w + "z"}, {w + "f"});
    return w + "f";
  }

  std::string conv(const std::string& x, int64_t from, int64_t to, int64_t stride) {
    const int64_t kernel = draw(std::max<int64_t>(stride, 1), 4), dilation = draw(1, 3);
    const int64_t reach = (kernel - 1) * dilation;
    const std::string y = fresh("conv");
    std::string in = x;
    Dims pads = {reach, 0};
    const int64_t form = stride > 1 || reach == 0 ? 0 : draw(0, 2);
    if (form == 1) {  // a Pad of its own
      const std::string p = fresh("pads");
      model.ints(p, {0, 0, reach, 0, 0, 0});
      in = fresh("padded");
      model.node("Pad", {x, p}, {in});
      pads = {0, 0};
    }
    if (form == 2) pads = {reach, reach};  // and a Slice behind
    auto* node = model.node("Conv", {in, weights({to, from, kernel})}, {y});
    set_ints(node, "pads", pads);
    set_ints(node, "dilations", {dilation});
    set_ints(node, "strides", {stride});
    if (form != 2) return y;
    const std::string c = fresh("cut");
    model.ints(c + "0", {0});
    model.ints(c + "e", {-reach});
    model.ints(c + "a", {2});
    model.node("Slice", {y, c + "0", c + "e", c + "a"}, {c});
    return c;
  }

  std::string add_layer(const std::string& x, int64_t& channels) {
    switch (draw(0, 5)) {
      case 0: {  // a residual
        const std::string y = fresh("sum"), r = fresh("relu");
        model.node("Relu", {quantize(conv(x, channels, channels, 1))}, {r});
        model.node("Add", {r, x}, {y});
        return quantize(y);
      }
      case 1: {  // a pool that keeps step
        if (stride_ > 2) break;
        stride_ *= 2;
        const std::string y = fresh("pool");
        auto* node = model.node("MaxPool", {x}, {y});
        set_ints(node, "kernel_shape", {2});
        set_ints(node, "strides", {2});
        return quantize(y);
      }
      case 2: {  // a pool that looks back
        const std::string y = fresh("pool");
        auto* node = model.node("MaxPool", {x}, {y});
        set_ints(node, "kernel_shape", {3});
        set_ints(node, "pads", {2, 0});
        return quantize(y);
      }
      case 3: {
        if (stride_ > 2) break;
        stride_ *= 2;
        return quantize(conv(x, channels, channels, 2));
      }
      case 4:
        return recurrent(x, channels);
      default:
        break;
    }
    const int64_t from = channels;
    channels = draw(2, 6);
    return quantize(conv(x, from, channels, 1));
  }

  // [1, C, T] -> [T, 1, C] -> GRU or LSTM -> [T, 1, 1, H] -> [1, H, T].
  std::string recurrent(const std::string& x, int64_t& channels) {
    const int64_t hidden = draw(2, 5);
    const bool lstm = draw(0, 1) != 0;
    const int64_t gates = lstm ? 4 : 3;
    const std::string n = fresh("rec");
    set_ints(model.node("Transpose", {x}, {n + "t"}), "perm", {2, 0, 1});
    model.floats(n + "w", {1, gates * hidden, channels},
                 random_floats(static_cast<size_t>(gates * hidden * channels), seed()));
    model.floats(n + "r", {1, gates * hidden, hidden},
                 random_floats(static_cast<size_t>(gates * hidden * hidden), seed()));
    model.floats(n + "h", {1, 1, hidden}, random_floats(static_cast<size_t>(hidden), seed()));
    auto* node =
        model.node(lstm ? "LSTM" : "GRU", {n + "t", n + "w", n + "r", "", "", n + "h"}, {n + "y"});
    set_int(node, "hidden_size", hidden);
    model.ints(n + "axes", {1});
    model.node("Squeeze", {n + "y", n + "axes"}, {n + "s"});
    set_ints(model.node("Transpose", {n + "s"}, {n}), "perm", {1, 2, 0});
    channels = hidden;
    return quantize(n);
  }

  std::mt19937& random_;
  const bool quantized_;
  int count_ = 0;
  int64_t stride_ = 1;

 public:
  OnnxModel model;
};

ConvertOptions streaming(const OnnxModel& model, const Folder& folder) {
  ConvertOptions options = model.write(folder);
  options.maxima = {{"N", kMost}};
  options.stream = "N";
  return options;
}

std::vector<std::string> refusals_of(const OnnxModel& model) {
  const Folder folder;
  std::vector<std::string> texts;
  for (const Refusal& refusal : convert(streaming(model, folder)).refusals) {
    texts.push_back(refusal.text());
  }
  return texts;
}

void check_random(uint32_t seed) {
  std::mt19937 random(seed);
  const bool quantized = seed % 2 != 0;
  const CausalModel causal(random, quantized);
  const Folder folder;
  ConvertOptions options = streaming(causal.model, folder);
  const ConvertReport report = convert(options);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  INFO("seed " << seed << (quantized ? ", int8" : ", float32"));
  REQUIRE(report.refusals.empty());
  ConvertOptions whole = options;
  whole.stream = "";
  whole.output = folder.file("whole.mdl");
  REQUIRE(convert(whole).refusals.empty());

  const int64_t length = kMost, step = causal.stride();
  const Floats x = random_floats(static_cast<size_t>(3 * length), seed);
  for (const char* backends : {"reference", "cpu"}) {
    INFO(backends);
    Stream all(whole.output, backends);
    const Floats expected = all.feed(x, {1, 3, length});
    const int64_t frames = all.shape()[2];
    Stream chunked(options.output, backends);
    for (int round = 0; round < 3; ++round) {
      for (int64_t at = 0; at < length;) {
        const int64_t most = (length - at) / step;
        const auto n =
            step *
            (round == 0 ? most : 1 + static_cast<int64_t>(random() % static_cast<uint32_t>(most)));
        INFO("round " << round << ", frames " << at << " to " << at + n);
        const Floats found = chunked.feed(columns(x, length, at, n), {1, 3, n});
        CHECK(found == columns(expected, frames, at / step, n / step));
        at += n;
        if (round == 2) chunked.move_on();
      }
      chunked.reset();
    }
    if (step > 1) CHECK(chunked.resize({1, 3, step + 1}) != MDL_OK);
  }
}

}  // namespace

TEST_CASE("random causal models give the same bytes in any chunking") {
  for (uint32_t seed = 1; seed <= 12; ++seed) check_random(seed);
}

TEST_CASE("many random causal models give the same bytes in any chunking", "[slow]") {
  for (uint32_t seed = 100; seed < 300; ++seed) check_random(seed);
}

TEST_CASE("what looks ahead is refused, each node with its reason") {
  OnnxModel m(13);
  m.input("x", {1, 2, -1});
  m.floats("w", {2, 2, 3}, Floats(12, 1.0f));
  m.floats("g", {1, 6, 2}, Floats(12, 1.0f));
  const auto refused = [&](const std::vector<std::vector<std::string>>& parts) {
    const std::vector<std::string> texts = refusals_of(m);
    for (const std::string& text : texts) UNSCOPED_INFO(text);
    REQUIRE(texts.size() == parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      for (const std::string& part : parts[i]) CHECK(texts[i].find(part) != std::string::npos);
    }
  };
  SECTION("symmetric padding, and every other node too") {
    set_ints(m.node("Conv", {"x", "w"}, {"a"}), "pads", {1, 1});
    set_int(m.node("Softmax", {"a"}, {"b"}), "axis", 2);
    set_ints(m.node("Conv", {"b", "w"}, {"y"}), "pads", {0, 2});
    m.output("y", {1, 2, -1});
    refused({{"a_node", "looks ahead by 1 frame", "2 frames in front"},
             {"b_node", "along time"},
             {"y_node", "looks ahead by 2 frames"}});
  }
  SECTION("padding behind that nobody cuts off") {
    set_ints(m.node("Conv", {"x", "w"}, {"y"}), "pads", {2, 2});
    m.output("y", {1, 2, -1});
    refused({{"y_node", "pads the end of time"}});
  }
  SECTION("a mean over time") {
    m.node("GlobalAveragePool", {"x"}, {"y"});
    m.output("y", {1, 2, 1});
    refused({{"y_node", "all frames together"}});
  }
  SECTION("a norm over time") {
    m.floats("one", {2}, {1, 1});
    m.node("InstanceNormalization", {"x", "one", "one"}, {"y"});
    m.output("y", {1, 2, -1});
    CHECK(!refusals_of(m).empty());
  }
  SECTION("attention") {
    set_ints(m.node("Transpose", {"x"}, {"t"}), "perm", {0, 2, 1});
    m.node("MatMul", {"t", "x"}, {"y"});
    m.output("y", {1, -1, -1});
    refused({{"y_node", "against every other"}});
  }
  SECTION("a direction") {
    set_ints(m.node("Transpose", {"x"}, {"t"}), "perm", {2, 0, 1});
    auto* node = m.node("GRU", {"t", "g", "g"}, {"y"});
    set_int(node, "hidden_size", 2);
    set_string(node, "direction", "reverse");
    m.output("y", {-1, 1, 1, 2});
    refused({{"y_node", "reverse"}});
  }
  SECTION("the last h, given to every frame") {
    set_ints(m.node("Transpose", {"x"}, {"t"}), "perm", {2, 0, 1});
    set_int(m.node("GRU", {"t", "g", "g"}, {"all", "h"}), "hidden_size", 2);
    set_ints(m.node("Transpose", {"h"}, {"last"}), "perm", {0, 2, 1});
    m.node("Add", {"t", "h"}, {"y"});
    m.node("MatMul", {"t", "last"}, {"z"});
    m.output("y", {-1, 1, 2});
    m.output("z", {-1, 1, 1});
    refused({{"y_node", "last h or c of 'all_node'"}, {"z_node", "last h or c of 'all_node'"}});
  }
  SECTION("a walk back") {
    for (const char* name : {"starts", "steps"}) m.ints(name, {-1});
    m.ints("ends", {INT64_MIN});
    m.ints("axes", {2});
    m.node("Slice", {"x", "starts", "ends", "axes", "steps"}, {"y"});
    m.output("y", {1, 2, -1});
    refused({{"y_node", "back in time"}});
  }
  SECTION("no such dimension") {
    m.proto.mutable_graph()->mutable_input(0)->Clear();
    m.value(m.proto.mutable_graph()->mutable_input(0), "x", {1, 2, 8});
    m.node("Relu", {"x"}, {"y"});
    m.output("y", {1, 2, 8});
    const Folder folder;
    ConvertOptions options = streaming(m, folder);
    options.maxima.clear();
    CHECK(convert(options).refusals.at(0).text().find("--max N=N") != std::string::npos);
  }
}

TEST_CASE("a state takes open extents for 1, and begins as its file says") {
  OnnxModel m(13);
  m.input("x", {1, 1, 2});
  m.input("h", {1, -1, 2});  // the batch stands second
  m.node("Add", {"x", "h"}, {"next"});
  m.node("Neg", {"next"}, {"y"});
  m.output("y", {1, -1, 2});
  m.output("next", {1, -1, 2});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.states = {{"h", "next"}};
  Array first{MDL_FLOAT32, {1, 1, 2}, {}};
  first.data.resize(8);
  const float values[] = {5, 7};
  std::memcpy(first.data.data(), values, sizeof(values));
  SECTION("right") {
    options.initial["h"] = first;
    REQUIRE(convert(options).refusals.empty());
    Stream stream(options.output, "reference");
    CHECK(stream.feed({1, 1}, {1, 1, 2}) == Floats{-6, -8});
    CHECK(stream.feed({1, 1}, {1, 1, 2}) == Floats{-7, -9});
    stream.reset();
    CHECK(stream.feed({0, 0}, {1, 1, 2}) == Floats{-5, -7});
  }
  SECTION("of another shape") {
    first.shape = {2};
    options.initial["h"] = first;
    CHECK(convert(options).refusals.at(0).text().find("float32 [1,1,2]") != std::string::npos);
  }
}

TEST_CASE("an output that is its input with more behind it becomes a state that grows") {
  OnnxModel m(13);
  m.input("x", {1, 1, 2});
  m.input("past", {1, -1, 2});
  set_int(m.node("Concat", {"past", "x"}, {"present"}), "axis", 1);
  m.ints("axes", {1});
  set_int(m.node("ReduceSum", {"present", "axes"}, {"y"}), "keepdims", 0);
  m.output("y", {1, 2});
  m.output("present", {1, -1, 2});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.states = {{"past", "present"}};
  options.maxima = {{"N", 8}};
  const ConvertReport report = convert(options);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  Stream stream(options.output, "reference");
  for (int n = 1; n <= 8; ++n) {
    const auto sum = static_cast<float>(n);
    CHECK(stream.feed({1, 2}, {1, 1, 2}) == Floats{sum, 2 * sum});
  }
}
