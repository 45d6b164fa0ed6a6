// SPDX-License-Identifier: Apache-2.0
// Attention and RotaryEmbedding of opset 23 and later.
#include <cmath>

#include "tests/catch.h"
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr int64_t kBatch = 2, kHeads = 4, kKeyHeads = 2, kQueries = 3, kPast = 2, kWidth = 4;
constexpr int64_t kKeys = kPast + kQueries;

std::vector<Floats> run(const OnnxModel& model) {
  const Folder folder;
  ConvertReport report;
  const Model converted = import_and_optimize(model.write(folder), report);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  std::vector<std::shared_ptr<const Bytes>> inputs;
  const Graph& graph = converted.main();
  for (const int32_t t : graph.inputs) {
    inputs.push_back(as_bytes(
        random_floats(graph.tensors[static_cast<size_t>(t)].elements(), static_cast<uint32_t>(t))));
  }
  std::vector<Floats> outputs;
  for (const Bytes& bytes : run_graph(graph, inputs)) outputs.push_back(to_floats(bytes));
  return outputs;
}

// In rank 3, with a cache, every output asked for; the weights come last.
OnnxModel with_cache() {
  OnnxModel model(25);
  model.input("q", {kBatch, kQueries, kHeads * kWidth});
  model.input("k", {kBatch, kQueries, kKeyHeads * kWidth});
  model.input("v", {kBatch, kQueries, kKeyHeads * kWidth});
  model.input("past_k", {kBatch, kKeyHeads, kPast, kWidth});
  model.input("past_v", {kBatch, kKeyHeads, kPast, kWidth});
  model.output("y", {kBatch, kQueries, kHeads * kWidth});
  model.output("present_k", {kBatch, kKeyHeads, kKeys, kWidth});
  model.output("present_v", {kBatch, kKeyHeads, kKeys, kWidth});
  model.output("weights", {kBatch, kHeads, kQueries, kKeys});
  onnx::NodeProto* node = model.node("Attention", {"q", "k", "v", "", "past_k", "past_v"},
                                     {"y", "present_k", "present_v", "weights"});
  set_int(node, "q_num_heads", kHeads);
  set_int(node, "kv_num_heads", kKeyHeads);
  set_int(node, "qk_matmul_output_mode", 3);
  return model;
}

onnx::NodeProto* attention_in(OnnxModel& model) {
  return model.proto.mutable_graph()->mutable_node(0);
}

// y is what its weights make of the values; only keys at these distances have any.
void check_weights(const std::vector<Floats>& outputs, int64_t least, int64_t most) {
  const Floats &y = outputs[0], &values = outputs[2], &weights = outputs[3];
  size_t at = 0;
  for (int64_t b = 0; b < kBatch; ++b) {
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t i = 0; i < kQueries; ++i) {
        double sum = 0;
        Floats row(kWidth);
        for (int64_t j = 0; j < kKeys; ++j) {
          const float w = weights[at++];
          const int64_t distance = j - i - kPast;
          CHECK((w > 0) == (least <= distance && distance <= most));
          sum += static_cast<double>(w);
          const int64_t from = ((b * kKeyHeads + h / 2) * kKeys + j) * kWidth;
          for (int64_t c = 0; c < kWidth; ++c) {
            row[static_cast<size_t>(c)] += w * values[static_cast<size_t>(from + c)];
          }
        }
        CHECK(sum == Approx(1));
        for (int64_t c = 0; c < kWidth; ++c) {
          const int64_t to = ((b * kQueries + i) * kHeads + h) * kWidth + c;
          CHECK(y[static_cast<size_t>(to)] == Approx(row[static_cast<size_t>(c)]).margin(1e-5));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("Attention joins its cache and hides what its window leaves out") {
  OnnxModel model = with_cache();
  SECTION("all keys") { check_weights(run(model), -kKeys, kKeys); }
  SECTION("causal") {
    set_int(attention_in(model), "is_causal", 1);
    check_weights(run(model), -kKeys, 0);
  }
  SECTION("a window on both sides") {
    set_int(attention_in(model), "left_window_size", 2);
    set_int(attention_in(model), "right_window_size", 1);
    check_weights(run(model), -2, 1);
  }
  SECTION("a causal window") {
    set_int(attention_in(model), "left_window_size", 1);
    set_int(attention_in(model), "right_window_size", 1);
    set_int(attention_in(model), "is_causal", 1);
    check_weights(run(model), -1, 0);
  }
}

TEST_CASE("Attention's own causal mask has the bytes of one that is written") {
  OnnxModel model = with_cache();
  set_int(attention_in(model), "is_causal", 1);
  const Floats masked = run(model)[0];
  attention_in(model)->mutable_output()->RemoveLast();
  model.proto.mutable_graph()->mutable_output()->RemoveLast();
  CHECK(run(model)[0] == masked);
}

TEST_CASE("Attention needs its heads in rank 3") {
  OnnxModel model(23);
  model.input("x", {1, 3, 8});
  model.output("y", {1, 3, 8});
  set_int(model.node("Attention", {"x", "x", "x"}, {"y"}), "q_num_heads", 2);
  check_refused(model, {"y_node", "kv_num_heads"});
}

TEST_CASE("RotaryEmbedding turns a part of each head, pair by pair") {
  constexpr int64_t kRows = 3, kTurned = 4, kHead = 6;
  const int64_t interleaved = GENERATE(0, 1);
  OnnxModel model(23);
  model.input("x", {1, kRows, 2 * kHead});
  const Floats cos = random_floats(8, 1), sin = random_floats(8, 2);
  model.floats("cos", {4, 2}, cos);
  model.floats("sin", {4, 2}, sin);
  const std::vector<int64_t> places = {3, 0, 2};
  auto* ids = model.constant("ids", {1, kRows}, onnx::TensorProto::INT64);
  for (const int64_t place : places) ids->add_int64_data(place);
  model.output("y", {1, kRows, 2 * kHead});
  onnx::NodeProto* node = model.node("RotaryEmbedding", {"x", "cos", "sin", "ids"}, {"y"});
  set_int(node, "num_heads", 2);
  set_int(node, "rotary_embedding_dim", kTurned);
  set_int(node, "interleaved", interleaved);
  const Floats y = run(model)[0];
  const Floats x = random_floats(y.size(), 0);
  for (size_t head = 0; head < 2 * kRows; ++head) {
    const auto place = static_cast<size_t>(places[head / 2]);
    for (size_t i = 0; i < 2; ++i) {
      const size_t a = head * kHead + (interleaved ? 2 * i : i);
      const size_t b = a + (interleaved ? 1 : 2);
      const float c = cos[place * 2 + i], s = sin[place * 2 + i];
      CHECK(y[a] == Approx(x[a] * c - x[b] * s).margin(1e-6));
      CHECK(y[b] == Approx(x[b] * c + x[a] * s).margin(1e-6));
    }
    for (size_t i = kTurned; i < kHead; ++i) CHECK(y[head * kHead + i] == x[head * kHead + i]);
  }
}
