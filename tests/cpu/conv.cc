// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {
namespace {

// [Pad] -> Conv -> [Add] -> [activation], of random shape.
void add_conv_chain(GraphBuilder& builder, Random& random) {
  const bool signal = random.one_in(3);
  const size_t spatial = signal ? 1 : 2;
  const int64_t group = random.one_in(4) ? random.integer(2, 9) : 1;
  const bool depthwise = group > 1 && random.one_in(2);
  const int64_t in_per_group = depthwise ? 1 : random.integer(1, 9);
  const int64_t out_per_group = depthwise ? 1 : random.integer(1, 20);
  const int64_t kernel = random.one_in(3) ? 1 : random.integer(2, 5);
  std::vector<int64_t> strides(spatial);
  std::vector<int64_t> dilations(spatial);
  std::vector<int64_t> pads(2 * spatial);
  for (int64_t& s : strides) s = random.integer(1, 2);
  for (int64_t& d : dilations) d = random.integer(1, 2);
  if (kernel > 1) {
    for (int64_t& p : pads) p = random.integer(0, kernel - 1);
  }
  Dims x = {random.integer(1, 2)};
  Dims w = {group * out_per_group};
  for (size_t s = 0; s < spatial; ++s) {
    x.push_back(random.integer(10, 24));
    w.push_back(kernel);
  }
  x.push_back(group * in_per_group);
  w.push_back(in_per_group);
  size_t weight_count = 1;
  for (int64_t d : w) weight_count *= static_cast<size_t>(d);

  int32_t t = builder.input("x", x);
  if (random.one_in(4)) {
    std::vector<int64_t> around(2 * x.size(), 0);
    around[1] = random.integer(0, 2);
    around[x.size() + 1] = random.integer(0, 2);
    t = builder.node("Pad", {t}, {{"pads", around}});
  }
  const int32_t weights = builder.constant("w", w, random.floats(weight_count));
  std::vector<int32_t> inputs = {t, weights};
  if (!random.one_in(3)) {
    inputs.push_back(builder.constant("b", {w[0]}, random.floats(static_cast<size_t>(w[0]))));
  }
  t = builder.node(
      "Conv", inputs,
      {{"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"group", group}});
  if (random.one_in(2)) {
    const mdl_tensor& made = builder.tensor(t);
    const int32_t residual = builder.input("r", Dims(made.dims, made.dims + made.rank));
    t = builder.node("Add", random.one_in(2) ? std::vector<int32_t>{t, residual}
                                             : std::vector<int32_t>{residual, t});
  }
  if (random.one_in(2)) t = builder.node("Relu", {t});
  builder.output(t);
}

}  // namespace

TEST_CASE("convolutions on the CPU give the reference's bytes, fused or not", "[conv]") {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    add_conv_chain(builder, random);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("transposed convolutions give the reference's bytes", "[conv_transpose]") {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const auto spatial = static_cast<size_t>(random.integer(1, 3));
    const int64_t group = random.one_in(4) ? random.integer(2, 4) : 1;
    const int64_t in_per_group = random.integer(1, 20);
    const int64_t out_per_group = random.integer(1, 20);
    Dims x = {random.integer(1, 2)};
    Dims w = {group * out_per_group};
    Dims strides, dilations, pads(2 * spatial), output_padding;
    int64_t taps = 1;
    for (size_t s = 0; s < spatial; ++s) {
      x.push_back(random.integer(2, 9));
      w.push_back(random.integer(1, 4));
      taps *= w.back();
      strides.push_back(random.integer(1, 3));
      dilations.push_back(random.integer(1, 2));
      pads[s] = random.integer(0, w.back() - 1);
      pads[spatial + s] = random.integer(0, w.back() - 1);
      output_padding.push_back(w.back() + random.integer(0, 1));  // so that some output is left
    }
    x.push_back(group * in_per_group);
    w.push_back(in_per_group);
    std::vector<int32_t> inputs = {
        builder.input("x", x),
        builder.constant("w", w, random.floats(static_cast<size_t>(w[0] * taps * in_per_group)))};
    if (random.one_in(2)) {
      inputs.push_back(builder.constant("b", {w[0]}, random.floats(static_cast<size_t>(w[0]))));
    }
    int32_t t = builder.node("ConvTranspose", inputs,
                             {{"strides", strides},
                              {"dilations", dilations},
                              {"pads", pads},
                              {"output_padding", output_padding},
                              {"group", group}});
    const char* const kAfter[] = {"Relu", "Sigmoid", "Clip", nullptr};
    if (const char* op = kAfter[random.integer(0, 3)]) t = builder.node(op, {t});
    builder.output(t);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("products on the CPU give the reference's bytes, fused or not", "[gemm]") {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int64_t m = random.one_in(3) ? 1 : random.integer(2, 30);
    const int64_t n = random.integer(1, 70);
    const int64_t k = random.integer(1, 50);
    const bool gemm = random.one_in(2);
    const int64_t transposed = gemm && random.one_in(2) ? 1 : 0;
    int32_t t = builder.input("x", gemm ? Dims{m, k} : Dims{2, m, k});
    const int32_t w = builder.constant("w", transposed ? Dims{n, k} : Dims{k, n},
                                       random.floats(static_cast<size_t>(n * k)));
    if (gemm) {
      std::vector<int32_t> inputs = {t, w};
      if (random.one_in(2)) {
        inputs.push_back(builder.constant("b", {n}, random.floats(static_cast<size_t>(n))));
      }
      t = builder.node("Gemm", inputs, {{"transB", transposed}});
    } else {
      t = builder.node("MatMul", {t, w});
    }
    if (random.one_in(2)) {
      const mdl_tensor& made = builder.tensor(t);
      const int32_t residual = builder.input("r", Dims(made.dims, made.dims + made.rank));
      t = builder.node("Add", {t, residual});
    }
    if (random.one_in(2)) t = builder.node("Relu", {t});
    builder.output(t);
    require_cpu_equals_reference(builder, seed);
  }
}

}  // namespace medulla::test
