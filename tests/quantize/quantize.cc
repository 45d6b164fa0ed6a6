// SPDX-License-Identifier: Apache-2.0
// A small network becomes integer nodes, all of it or what a bound leaves.
#include "tools/quantize/precision.h"

#include "tests/convert/runner.h"
#include "tests/quantize/small_model.h"
#include "tools/quantize/ranges.h"

namespace medulla::tools {
namespace {

TEST_CASE("every node of a small network becomes an integer node") {
  const Folder folder;
  for (const RangeMethod method :
       {RangeMethod::search, RangeMethod::min_max, RangeMethod::percentile, RangeMethod::mse}) {
    QuantizeOptions options = options_for(small_model(), folder);
    options.method = method;
    const QuantizeReport report = done(options);
    INFO(report.method << ": " << report.result.sqnr << " dB");
    CHECK(report.result.sqnr > 25);
    CHECK(report.layers.size() == 5);
    for (const LayerReport& layer : report.layers) {
      INFO(layer.name << ": " << layer.reason);
      CHECK(layer.reason.empty());
      CHECK(layer.measured);
      CHECK(layer.sqnr > report.result.sqnr - 1);
    }
    for (const auto& [op, count] : report.convert.nodes_after) {
      INFO(op << " x" << count);
      const bool moves = op == "MaxPool" || op == "Reshape" || op == "Transpose" || op == "Concat";
      CHECK((moves || op[0] == 'Q'));
    }
    CHECK(report.convert.nodes_after.at("QConv") == 4);
    CHECK(report.convert.nodes_after.at("QGemm") == 1);
    CHECK(std::filesystem::file_size(options.convert.output) == report.bytes_result);
  }
}

TEST_CASE("channels that are far apart are brought together") {
  OnnxModel model(13);
  model.input("x", {1, 3, 8, 8});
  std::vector<float> w = normal_numbers(8 * 3, 0.5f, 1), far = w;
  for (size_t i = 0; i < far.size(); ++i) far[i] *= i / 3 < 4 ? 40.0f : 0.5f;
  model.floats("a_w", {8, 3, 1, 1}, far);
  model.node("Conv", {"x", "a_w"}, {"a"});
  model.node("Relu", {"a"}, {"r"});
  model.floats("b_w", {8, 1, 3, 3}, normal_numbers(72, 0.3f, 2));
  auto* depthwise = model.node("Conv", {"r", "b_w"}, {"b"});
  set_int(depthwise, "group", 8);
  model.node("Relu", {"b"}, {"s"});
  std::vector<float> back = normal_numbers(8 * 4, 0.5f, 3);
  for (size_t i = 0; i < back.size(); ++i) back[i] /= i % 8 < 4 ? 40.0f : 0.5f;
  model.floats("c_w", {4, 8, 1, 1}, back);
  model.node("Conv", {"s", "c_w"}, {"y"});
  model.output("y", {1, 4, 6, 6});
  const Folder folder;
  QuantizeOptions options = options_for(model, folder);
  const QuantizeReport with = done(options);
  options.equalize = false;
  const QuantizeReport without = done(options);
  INFO(with.result.sqnr << " dB, without " << without.result.sqnr);
  CHECK(with.equalized == 2);
  CHECK(without.equalized == 0);
  CHECK(with.result.sqnr > without.result.sqnr + 3);
  // A name of the source stands for the source's numbers only.
  const auto contains = [](const std::vector<std::byte>& bytes, const std::string& name) {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    return std::string_view(text, bytes.size()).find(name) != std::string_view::npos;
  };
  CHECK(!contains(read_bytes(options.convert.output), ".equalized"));
  options.equalize = true;
  done(options);
  const auto bytes = read_bytes(options.convert.output);
  CHECK(contains(bytes, "r.equalized"));
  CHECK(contains(bytes, "s.equalized"));
  CHECK(!contains(bytes, "y.equalized"));
}

TEST_CASE("the same samples give the same file") {
  const Folder folder;
  const QuantizeOptions options = options_for(small_model(), folder);
  done(options);
  const auto first = read_bytes(options.convert.output);
  done(options);
  CHECK(first == read_bytes(options.convert.output));
}

TEST_CASE("a bound on the SQNR keeps the layers that cost most") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder);
  const QuantizeReport all = done(options);
  options.sqnr = all.result.sqnr + 3;
  const QuantizeReport report = done(options);
  CHECK(report.budget_met);
  CHECK(report.result.sqnr >= *options.sqnr);
  size_t kept = 0;
  for (const LayerReport& layer : report.layers) kept += layer.reason.empty() ? 0 : 1;
  CHECK(kept > 0);
  CHECK(kept < report.layers.size());
  options.sqnr = 100;
  const QuantizeReport none = done(options);
  CHECK(none.budget_met);  // all in float32
}

TEST_CASE("an output that is mostly noise is not left so") {
  OnnxModel model(13);
  model.input("x", {1, 8});
  // Large numbers cancel: what is left is less than the input's rounding.
  std::vector<float> w(8 * 4), v(4 * 4, 0);
  for (size_t i = 0; i < w.size(); ++i)
    w[i] = (i / 4 % 2 == 0 ? 1.0f : -1.0f) + 0.0002f * static_cast<float>(i);
  for (size_t i = 0; i < 4; ++i) v[5 * i] = 1;
  model.floats("w", {8, 4}, w);
  model.floats("v", {4, 4}, v);
  model.node("MatMul", {"x", "w"}, {"a"});
  model.node("MatMul", {"a", "v"}, {"y"});
  model.output("y", {1, 4});
  const Folder folder;
  QuantizeOptions options;
  options.convert = model.write(folder);
  std::vector<float> x = normal_numbers(16 * 8, 1, 3);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = x[i / 2 * 2] * (1 + 0.001f * static_cast<float>(i % 8));
  write_npy(folder.file("x.npy"), MDL_FLOAT32, {16, 8}, x);
  options.calibration = {folder.file("x.npy")};
  const QuantizeReport report = done(options);
  CHECK(report.int8.sqnr < 10);
  CHECK(report.result.sqnr > 10);
  REQUIRE(report.layers.size() == 2);
  CHECK(report.layers[0].reason == "needed for the bound");
  CHECK(report.layers[1].reason == "");
}

TEST_CASE("classes that come out are no noise") {
  OnnxModel model = small_model();
  auto* node = model.node("ArgMax", {"logits"}, {"class"});
  set_int(node, "axis", 1);
  model.proto.mutable_graph()->clear_output();
  model.output("class", {1, 1}, onnx::TensorProto::INT64);
  const Folder folder;
  const QuantizeReport report = done(options_for(model, folder));
  for (const LayerReport& layer : report.layers) CHECK(layer.reason.empty());
}

TEST_CASE("a budget in points of top-1 is kept") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder, 64);
  // The float32 model's own answers: 100 % right.
  std::vector<int64_t> labels;
  {
    Runner runner(from(options.convert.input));
    const auto x = to_floats(read_npy(folder.file("x.npy")));
    for (size_t s = 0; s < 64; ++s) {
      runner.set(0, {x.begin() + static_cast<ptrdiff_t>(s * kSampleSize),
                     x.begin() + static_cast<ptrdiff_t>((s + 1) * kSampleSize)});
      runner.run();
      const auto y = runner.get(0);
      labels.push_back(std::max_element(y.begin(), y.end()) - y.begin());
    }
  }
  write_npy(folder.file("y.npy"), MDL_INT64, {64}, labels);
  options.labels = "logits=" + folder.file("y.npy");
  options.budget = 0;
  const QuantizeReport report = done(options);
  REQUIRE(report.float32.top_1);
  CHECK(*report.float32.top_1 == 100);
  CHECK(*report.result.top_1 == 100);
  CHECK(report.budget_met);
}

TEST_CASE("layers that are named stay in float32") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder);
  options.float_layers = {"left_node"};
  const QuantizeReport report = done(options);
  CHECK(report.convert.nodes_after.at("Conv") == 1);
  CHECK(report.convert.nodes_after.at("QConv") == 3);
  for (const LayerReport& layer : report.layers) {
    CHECK((layer.name == "left_node") == (layer.reason == "asked for"));
  }
}

// Layers in float32 whose weights are worth storing in fewer bytes.
OnnxModel wide_model() {
  OnnxModel model(13);
  model.input("x", {1, 3, 8, 8});
  model.floats("conv_w", {16, 3, 3, 3}, normal_numbers(432, 0.2f, 1));
  model.node("Conv", {"x", "conv_w"}, {"conv"});
  model.node("Relu", {"conv"}, {"relu"});
  model.node("Flatten", {"relu"}, {"flat"});
  model.floats("dense_w", {576, 64}, normal_numbers(576 * 64, 0.05f, 2));
  model.node("MatMul", {"flat", "dense_w"}, {"wide"});
  model.floats("huge_w", {64, 32}, normal_numbers(64 * 32, 1e5f, 3));
  model.node("MatMul", {"wide", "huge_w"}, {"y"});
  model.output("y", {1, 32});
  return model;
}

TEST_CASE("weights alone are stored in fewer bytes") {
  struct Case {
    WeightForm form;
    double least, most;  // share of the file
    double sqnr;
  };
  for (const Case& expected :
       {Case{WeightForm::float16, 0.5, 0.6, 60}, Case{WeightForm::int8, 0.25, 0.34, 35}}) {
    const Folder folder;
    QuantizeOptions options = options_for(wide_model(), folder);
    options.evaluation = std::exchange(options.calibration, {});
    options.weights_alone = true;
    options.weights = expected.form;
    const QuantizeReport report = done(options);
    const double share =
        static_cast<double>(report.bytes_result) / static_cast<double>(report.bytes_float);
    INFO(share << " of the bytes, " << report.result.sqnr << " dB");
    CHECK(share > expected.least);
    CHECK(share < expected.most);
    CHECK(report.result.sqnr > expected.sqnr);
    CHECK(report.samples == 0);
    CHECK(report.layers.empty());
    REQUIRE(report.stored.size() == 3);
    CHECK(report.stored[0].op == "Conv");
    CHECK(report.stored[1].form == expected.form);
    CHECK(report.stored[1].bytes < report.stored[1].bytes_float);
    const bool half = expected.form == WeightForm::float16;
    CHECK(report.stored[2].form == (half ? WeightForm::float32 : WeightForm::int8));  // too large
    CHECK(std::filesystem::file_size(options.convert.output) == report.bytes_result);
  }
}

TEST_CASE("a layer that stays in float32 has float16 weights where the bound allows it") {
  const Folder folder;
  QuantizeOptions options = options_for(wide_model(), folder);
  options.sqnr = 55;
  const QuantizeReport report = done(options);
  CHECK(report.budget_met);
  REQUIRE(!report.stored.empty());
  CHECK(std::any_of(report.stored.begin(), report.stored.end(),
                    [](const StoredWeights& s) { return s.form == WeightForm::float16; }));
  options.weights = WeightForm::float32;
  const QuantizeReport wide = done(options);
  CHECK(wide.stored.empty());
  CHECK(wide.bytes_result > report.bytes_result);
  options.weights = WeightForm::float16;
  options.sqnr = 100;  // float16 weights do not reach it
  const QuantizeReport exact = done(options);
  CHECK(exact.budget_met);
  CHECK(exact.stored.empty());
}

TEST_CASE("the fewest layers are kept that are enough") {
  const std::vector<std::string> ranked = {"a", "b", "c", "d", "e", "f", "g"};
  size_t asked = 0;
  const auto needs = [&](std::set<std::string> needed) {
    return fewest_kept(ranked, [&](const std::set<std::string>& kept) {
      ++asked;
      return std::includes(kept.begin(), kept.end(), needed.begin(), needed.end());
    });
  };
  CHECK(needs({}).empty());
  CHECK(needs({"a"}) == std::set<std::string>{"a"});
  CHECK(needs({"c", "e"}) == std::set<std::string>{"c", "e"});
  CHECK(needs({"g"}) == std::set<std::string>{"g"});
  CHECK(needs({"x"}) == std::set<std::string>(ranked.begin(), ranked.end()));
  CHECK(asked < 60);
}

TEST_CASE("ranges hold zero and what the samples gave") {
  Statistics s;
  s.low = -1;
  s.high = 127.0 / 128;
  s.count = 1000;
  s.bins.assign(Statistics::kBins, 0);
  const Quantization pixels = quantization_of(choose_range(s, RangeMethod::min_max));
  CHECK(pixels.scales[0] == 1.0f / 128);
  CHECK(pixels.zero_points[0] == 0);
  s.low = 2;
  s.high = 5;
  const Range above = choose_range(s, RangeMethod::min_max);
  CHECK(above.low == 0);
  CHECK(above.high == 5);
  CHECK(quantization_of(above).zero_points[0] == -128);
  CHECK(quantization_of({0, 0}).scales[0] == 1.0f);
  // One element far out among a million near 0: all methods but min-max cut it off.
  s.low = -1;
  s.high = 100;
  s.count = 1000001;
  for (size_t b = 0; b < 40; ++b) s.bins[b] = 25000;
  s.bins.back() = 1;
  CHECK(choose_range(s, RangeMethod::min_max).high == 100);
  CHECK(choose_range(s, RangeMethod::percentile).high < 2.1);
  CHECK(choose_range(s, RangeMethod::mse).high < 50);
  CHECK(clipped_share(s, {-1, 50}) == 1.0 / 1000001);
}

}  // namespace
}  // namespace medulla::tools
