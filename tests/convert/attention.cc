// SPDX-License-Identifier: Apache-2.0
// Attention as exporters write it, and what is none.
#include <limits>

#include "tests/convert/same_result.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// x is [B, L, 3 * H * D]; q, k and v are its parts.
struct Heads : TestGraph {
  static constexpr int64_t kBatch = 2, kRows = 5, kHeads = 3, kWidth = 4;

  Heads() : TestGraph({kBatch, kRows, 3 * kHeads * kWidth}) {}

  // [B, L, H * D]
  int32_t part(int64_t i) {
    constexpr int64_t n = kHeads * kWidth;
    return add("Slice", {x},
               {{"axes", Dims{2}}, {"starts", Dims{i * n}}, {"ends", Dims{i * n + n}}});
  }
  // [B, L, H, D]
  int32_t split(int64_t i) { return reshape(part(i), {0, 0, kHeads, kWidth}); }
  // [B, H, L, D]
  int32_t head(int64_t i) { return transpose(split(i), {0, 2, 1, 3}); }
  int32_t reshape(int32_t t, const Dims& shape) { return add("Reshape", {t}, {{"shape", shape}}); }
  int32_t turned(int32_t t) { return transpose(t, {0, 1, 3, 2}); }
  int32_t weights(int32_t scores) { return add("Softmax", {scores}, {{"axis", int64_t{-1}}}); }
  int32_t join(int32_t y) { return reshape(transpose(y, {0, 2, 1, 3}), {0, 0, kHeads * kWidth}); }
  int32_t bools(const Dims& dims, std::vector<uint8_t> values) {
    return build.constant(MDL_BOOL, dims, values);
  }

  // The graph without what no output needs.
  Graph fused(int32_t y, float bound = 0) {
    return same_result(finish({y}), fuse_attention, bound);
  }
};

const Node& attention_of(const Graph& graph) {
  CHECK(count_of(graph, "MatMul") == 0);
  CHECK(count_of(graph, "Softmax") == 0);
  REQUIRE(count_of(graph, "Attention") == 1);
  return *std::find_if(graph.nodes.begin(), graph.nodes.end(),
                       [](const Node& node) { return node.op == "Attention"; });
}

}  // namespace

TEST_CASE("fuse_attention reads the rows of heads where they lie") {
  Heads g;
  SECTION("heads that are split and joined, and a mask for each key") {
    const int32_t k = g.transpose(g.split(1), {0, 2, 3, 1});
    const int32_t scores = g.add("Div", {g.add("MatMul", {g.head(0), k}), g.build.scalar(2)});
    const int32_t masked = g.add("Add", {scores, g.constant({2, 1, 1, 5}, 3)});
    const int32_t y = g.join(g.add("MatMul", {g.weights(masked), g.head(2)}));
    const Graph after = g.fused(y);
    const Node& node = attention_of(after);
    CHECK(count_of(after, "Transpose") == 0);
    CHECK(node.inputs.size() == 4);
    CHECK(node.get<double>("scale", 0) == 0.5);
    CHECK(node.get<int64_t>("num_heads", 0) == 3);
    CHECK(node.get<int64_t>("kv_num_heads", 0) == 3);
  }
  SECTION("parts of one product") {
    const int32_t parts = g.transpose(g.reshape(g.x, {2, 5, 3, 3, 4}), {2, 0, 3, 1, 4});
    const bool gathers = GENERATE(false, true);
    g.build.set_name("Split");
    const auto split = g.build.add_many(
        "Split", {parts}, {{"axis", int64_t{0}}, {"sizes", Dims{1, 1, 1}}}, {true, true, true});
    const auto part = [&](int64_t i) {
      if (!gathers) return g.add("Squeeze", {split[static_cast<size_t>(i)]}, {{"axes", Dims{0}}});
      const int32_t index = g.build.constant(MDL_INT64, {}, std::vector<int64_t>{i - 3});
      return g.add("Gather", {parts, index}, {{"axis", int64_t{0}}});
    };
    const int32_t q = g.add("Mul", {part(0), g.build.scalar(0.5f)});
    const int32_t weights = g.weights(g.add("MatMul", {q, g.turned(part(1))}));
    const Graph after = g.fused(g.join(g.add("MatMul", {weights, part(2)})));
    CHECK(attention_of(after).get<double>("scale", 0) == 0.5);
    CHECK(count_of(after, "Transpose") == 0);
    CHECK(count_of(after, "Slice") == 3);
  }
}

TEST_CASE("fuse_attention takes scales and masks as exporters write them") {
  Heads g;
  const auto scores = [&] { return g.add("MatMul", {g.head(0), g.turned(g.head(1))}); };
  const auto sum = [&](int32_t s) { return g.add("MatMul", {g.weights(s), g.head(2)}); };
  const std::vector<uint8_t> lower = {1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1,
                                      0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1};
  SECTION("both factors scaled, a guard against NaN") {
    const int32_t root = g.build.scalar(0.3f);
    const int32_t q = g.add("Mul", {g.head(0), root});
    const int32_t k = g.add("Mul", {g.turned(g.head(1)), root});
    const int32_t w = g.weights(g.add("MatMul", {q, k}));
    const int32_t safe = g.add("Where", {g.add("IsNaN", {w}), g.build.scalar(0), w});
    const Graph after = g.fused(g.add("MatMul", {safe, g.head(2)}), 1e-6f);
    CHECK(attention_of(after).get<double>("scale", 0) == Approx(0.09));
  }
  SECTION("a bool mask in place of scores") {
    const bool inverted = GENERATE(false, true);
    const int32_t mask = g.bools({1, 1, 5, 5}, lower), fill = g.build.scalar(-kInf);
    const int32_t s = scores();
    const int32_t y = inverted ? g.add("Where", {g.add("Not", {mask}), fill, s})
                               : g.add("Where", {mask, s, fill});
    const Graph after = g.fused(sum(y));
    const Node& node = attention_of(after);
    CHECK(after.tensors[static_cast<size_t>(node.inputs.at(3))].dtype == MDL_BOOL);
  }
  SECTION("the least float behind a scale, and one mask more") {
    const int32_t scaled = g.add("Mul", {g.build.scalar(0.25f), scores()});
    const int32_t least = g.build.scalar(std::numeric_limits<float>::lowest());
    const int32_t causal = g.add("Where", {g.bools({5, 5}, lower), scaled, least});
    const int32_t y = sum(g.add("Add", {g.constant({1, 3, 1, 5}, 5), causal}));
    attention_of(g.fused(y, 1e-6f));
  }
}

TEST_CASE("fuse_attention reads heads that share keys once") {
  TestGraph g({2, 4, 3, 6});
  const auto repeated = [&](int32_t t) {
    const int32_t open = g.add("Unsqueeze", {t}, {{"axes", Dims{2}}});
    const int32_t wide = g.add("Expand", {open}, {{"shape", Dims{2, 2, 2, 5, 6}}});
    return g.add("Reshape", {wide}, {{"shape", Dims{2, 4, 5, 6}}});
  };
  // Not constants, which would be repeated before the pass sees them.
  const int32_t mean = g.add("ReduceMean", {g.x}, {{"axes", Dims{1, 2, 3}}});
  const int32_t k = g.add("Add", {g.constant({2, 2, 5, 6}, 1), mean});
  const int32_t v = g.add("Mul", {g.constant({2, 2, 5, 6}, 2), mean});
  const int32_t kt = g.transpose(repeated(k), {0, 1, 3, 2});
  const int32_t weights = g.add("Softmax", {g.add("MatMul", {g.x, kt})});
  const Graph after =
      same_result(g.finish({g.add("MatMul", {weights, repeated(v)})}), fuse_attention, 0);
  attention_of(after);
  CHECK(count_of(after, "Expand") == 0);
}

TEST_CASE("fuse_attention takes stacks of one head") {
  TestGraph g({3, 4, 6});
  const int32_t kt = g.transpose(g.add("Sigmoid", {g.x}), {0, 2, 1});
  const int32_t scores = g.add("MatMul", {g.x, kt});
  const int32_t masked = g.add("Add", {scores, g.constant({3, 1, 4}, 1)});
  const int32_t y = g.add("MatMul", {g.add("Softmax", {masked}), g.add("Tanh", {g.x})});
  attention_of(same_result(g.finish({y}), fuse_attention, 0));
}

TEST_CASE("fuse_attention leaves what is no attention, or is needed in parts") {
  Heads g;
  const int32_t scores = g.add("MatMul", {g.head(0), g.turned(g.head(1))});
  SECTION("weights that are an output") {
    const int32_t w = g.weights(scores);
    const int32_t y = g.add("MatMul", {w, g.head(2)});
    CHECK(count_of(same_result(g.finish({y, w}), fuse_attention, 0), "Attention") == 0);
  }
  SECTION("weights over queries") {
    const int32_t w = g.add("Softmax", {scores}, {{"axis", int64_t{2}}});
    CHECK(count_of(g.fused(g.add("MatMul", {w, g.head(2)})), "Attention") == 0);
  }
  SECTION("a scale behind the mask") {
    const int32_t masked = g.add("Add", {scores, g.constant({5, 5}, 1)});
    const int32_t w = g.weights(g.add("Mul", {masked, g.build.scalar(0.5f)}));
    CHECK(count_of(g.fused(g.add("MatMul", {w, g.head(2)})), "Attention") == 0);
  }
  SECTION("a small number where the mask is false") {
    const int32_t mask = g.bools({1, 1, 1, 5}, {1, 0, 1, 0, 1});
    const int32_t w = g.weights(g.add("Where", {mask, scores, g.build.scalar(-4)}));
    CHECK(count_of(g.fused(g.add("MatMul", {w, g.head(2)})), "Attention") == 0);
  }
}
