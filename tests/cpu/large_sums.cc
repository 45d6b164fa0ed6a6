// SPDX-License-Identifier: Apache-2.0
// Sums that reach both ends of int32, over 524288 products.
#include "tests/cpu/compare.h"

namespace medulla::test {
namespace {

constexpr int64_t kProducts = 524288;
constexpr int64_t kChannels = 19;

// With inputs of 127, which are 255 above their zero point, the even channels end at 2^31 - 1 and
// the odd ones at -2^31. Otherwise inputs are random.
void check(const char* op, const Dims& x_dims, const Dims& kernel, bool ends) {
  CAPTURE(op, ends);
  GraphBuilder builder;
  Random random(7);
  int32_t x = builder.quantized(builder.input("x", x_dims, {}, MDL_INT8), {1.0f}, {-128});
  if (ends) {
    const std::vector<int8_t> table(256, 127);
    x = builder.quantized(
        builder.node("QLookup", {x, builder.constant("t", {256}, table, MDL_INT8)}), {1.0f},
        {-128});
  }
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  std::vector<int64_t> positive, negative;
  for (int64_t c = 0; c < kChannels; ++c) {
    const bool even = c % 2 == 0;
    int64_t p = 0, n = 0;
    for (int64_t k = 0; k < kProducts; ++k) {
      const int64_t w = ends ? (even ? 16 : -16) : random.integer(-16, 16);
      weights.push_back(static_cast<int8_t>(w));
      (w > 0 ? p : n) += w > 0 ? w : -w;
    }
    positive.push_back(p);
    negative.push_back(n);
    bias.push_back(even ? 8388607 : -8388608);
  }
  constexpr float kScale = 0x1p24f;
  Dims w_dims = {kChannels};
  w_dims.insert(w_dims.end(), kernel.begin(), kernel.end());
  const int32_t w =
      builder.quantized(builder.constant("w", w_dims, weights, MDL_INT8), {1.0f}, {0});
  const std::vector<float> multipliers(kChannels, 1 / kScale);
  const int32_t b = builder.constant("b", {kChannels}, bias, MDL_INT32);
  const int32_t m = builder.constant("m", {kChannels}, multipliers);
  const int32_t y =
      builder.node(op, {x, w, b, m}, {{"positive_sums", positive}, {"negative_sums", negative}});
  builder.output(builder.quantized(y, {kScale}, {0}));
  const mdl_graph& graph = builder.graph();
  mdl_error error = MDL_ERROR_INIT;
  const mdl_status proved = check_node({graph, graph.nodes[graph.node_count - 1]}, &error);
  INFO(error.text);
  REQUIRE(proved == MDL_OK);
  require_cpu_equals_reference(builder, 11);
  require_same(graph, run_graph(graph, "cpu", "avx2", 1, 11),
               run_graph(graph, "reference", nullptr, 1, 11));
}

}  // namespace

TEST_CASE("sums up to the ends of int32 are exact", "[large_sums][slow]") {
  for (const bool ends : {true, false}) {
    check("QGemm", {1, kProducts}, {kProducts}, ends);
    check("QConv", {1, 2, 2, kProducts / 4}, {2, 2, kProducts / 4}, ends);
  }
}

}  // namespace medulla::test
