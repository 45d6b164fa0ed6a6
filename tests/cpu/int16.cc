// SPDX-License-Identifier: Apache-2.0
// Layers of int16 activations give the reference's bytes.
#include "tests/cpu/compare.h"

namespace medulla::test {
namespace {

using Attributes = std::map<std::string, AttributeValue>;

constexpr float kScale = 0.5f;

int32_t zero_point(Random& random) {
  return random.one_in(2) ? 0 : static_cast<int32_t>(random.integer(-32768, 32767));
}

void check(uint32_t seed, const char* op, const Dims& x_dims, const Dims& w_dims,
           const Attributes& more) {
  CAPTURE(seed, op);
  GraphBuilder builder;
  Random random(seed);
  const int64_t channels = w_dims[0];
  size_t length = 1;
  for (size_t d = 1; d < w_dims.size(); ++d) length *= static_cast<size_t>(w_dims[d]);
  const std::vector<int8_t> weights = random.bytes(static_cast<size_t>(channels) * length);
  const auto z_w = static_cast<int32_t>(random.one_in(2) ? 0 : random.integer(-128, 127));
  std::vector<int64_t> positive, negative, bias;
  for (int64_t c = 0; c < channels; ++c) {
    positive.push_back(0);
    negative.push_back(0);
    for (size_t k = 0; k < length; ++k) {
      const int w = weights[static_cast<size_t>(c) * length + k] - z_w;
      (w > 0 ? positive : negative).back() += std::abs(w);
    }
    bias.push_back(random.integer(-(int64_t{1} << 40), int64_t{1} << 40));
  }
  const float s_y = random.one_in(2) ? 128 : 65536;
  const std::vector<double> multipliers(static_cast<size_t>(channels),
                                        static_cast<double>(kScale / s_y));
  const int32_t x =
      builder.quantized(builder.input("x", x_dims, {}, MDL_INT16), {kScale}, {zero_point(random)});
  const int32_t w = builder.quantized(builder.constant("w", w_dims, weights, MDL_INT8), {1}, {z_w});
  const int32_t b = random.one_in(3) ? -1 : builder.constant("b", {channels}, bias, MDL_INT64);
  const int32_t m = builder.constant("m", {channels}, multipliers, MDL_FLOAT64);
  Attributes attributes = more;
  attributes["positive_sums"] = positive;
  attributes["negative_sums"] = negative;
  attributes["qmax"] = int64_t{20000};
  const int32_t y = builder.node(op, {x, w, b, m}, attributes);
  builder.output(builder.quantized(y, {s_y}, {static_cast<int32_t>(random.integer(-999, 999))}));
  const mdl_graph& graph = builder.graph();
  mdl_error error = MDL_ERROR_INIT;
  const mdl_status proved = check_node({graph, graph.nodes[graph.node_count - 1]}, &error);
  INFO(error.text);
  REQUIRE(proved == MDL_OK);
  require_cpu_equals_reference(builder, seed);
}

}  // namespace

TEST_CASE("layers of int16 give the reference's bytes", "[int16]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Random random(seed + 1000);
    const int64_t k = random.integer(1, 300), n = random.integer(1, 40);
    check(seed, "QGemm", {random.integer(1, 3), random.integer(1, 20), k}, {n, k}, {});
    const int64_t groups = random.one_in(2) ? random.integer(1, 40) : 1;
    const int64_t inputs = groups > 1 ? random.integer(1, 2) : random.integer(1, 20);
    const int64_t outputs = groups * random.integer(1, 2);
    const Dims kernel = {random.integer(1, 3), random.integer(1, 3)};
    check(seed, "QConv", {2, random.integer(3, 9), random.integer(3, 9), groups * inputs},
          {outputs, kernel[0], kernel[1], inputs},
          {{"group", groups},
           {"pads", std::vector<int64_t>{1, 0, 0, 1}},
           {"strides", std::vector<int64_t>{1, random.integer(1, 2)}}});
    check(seed, "QConv", {1, random.integer(4, 60), groups * inputs}, {outputs, 4, inputs},
          {{"group", groups}, {"pads", std::vector<int64_t>{3, 0}}});
  }
}

}  // namespace medulla::test
