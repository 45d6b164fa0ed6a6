// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <optional>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;

// An integer layer with all that its node stores.
struct Layer {
  Value x, w, bias, multiplier, y;
  Ints positive, negative;
  std::optional<double> output_scale;

  // Computes multipliers and sums; bias stays as it is.
  void finish() {
    const std::vector<int8_t> ws = w.as<int8_t>();
    const size_t channels = static_cast<size_t>(w.dims[0]);
    const size_t length = ws.size() / channels;
    positive.assign(channels, 0);
    negative.assign(channels, 0);
    std::vector<float> multipliers;
    const double s_y =
        y.dtype == MDL_INT8 ? static_cast<double>(y.scales[0]) : output_scale.value_or(1);
    for (size_t c = 0; c < channels; ++c) {
      for (size_t k = 0; k < length; ++k) {
        const int v = ws[c * length + k] - zero_point(c);
        (v > 0 ? positive : negative)[c] += std::abs(v);
      }
      multipliers.push_back(static_cast<float>(static_cast<double>(x.scales[0]) * scale(c) / s_y));
    }
    multiplier = tensor<float>({w.dims[0]}, multipliers).as_constant();
    w = w.as_constant();
    bias = bias.as_constant();
  }
  int zero_point(size_t c) const { return w.zero_points[w.zero_points.size() > 1 ? c : 0]; }
  double scale(size_t c) const {
    return static_cast<double>(w.scales[w.scales.size() > 1 ? c : 0]);
  }
  Case node(const char* op) const {
    Case c(op);
    c.input(x).input(w).input(bias).input(multiplier).output(y);
    c.set("positive_sums", positive).set("negative_sums", negative);
    if (output_scale) c.set("output_scale", *output_scale);
    return c;
  }
};

int8_t quantized(float t, int32_t zero_point, int32_t qmin = -128, int32_t qmax = 127) {
  if (std::isnan(t)) return static_cast<int8_t>(qmin);
  const double rounded = std::nearbyint(static_cast<double>(t)) + zero_point;
  return static_cast<int8_t>(std::fmin(std::fmax(rounded, qmin), qmax));
}

TEST_CASE("QGemm by hand") {
  Layer l;
  l.x = tensor<int8_t>({1, 2}, {10, -6}).quantized(0.5f, 2);
  l.w = tensor<int8_t>({2, 2}, {3, 4, -1, 5}).quantized(0.25f, 0);
  l.bias = tensor<int32_t>({2}, {0, 7});
  l.y = declared(MDL_INT8).quantized(0.5f, -3);
  l.finish();
  // (8 * 3 - 8 * 4) / 4 = -2; (-8 - 40 + 7) / 4 = -10.25
  CHECK(l.node("QGemm").run().values<int8_t>() == std::vector<int8_t>{-5, -13});
  CHECK(l.node("QGemm").set("qmin", -6).run().values<int8_t>() == std::vector<int8_t>{-5, -6});
  l.y = declared(MDL_FLOAT32);
  l.bias = tensor<float>({2}, {0, 0.5f});
  l.finish();
  CHECK(l.node("QGemm").run().values() == std::vector<float>{-1, -5.5f});
  // In steps of an output that is rounded elsewhere: sums and biases are integers.
  l.output_scale = 0.5;
  CHECK(l.node("QGemm").run().says("input 2 is float32, should be int32"));
  l.bias = tensor<int32_t>({2}, {0, 7});
  l.finish();
  CHECK(l.node("QGemm").run().values() == std::vector<float>{-2, -10.25f});
  l.output_scale = 0.25;
  CHECK(l.node("QGemm").run().says("multiplier 0 is 0.25, the scales give 0.5"));
  for (const double bad : {0.0, -0.5, 1e-40, 0.1}) {
    l.output_scale = bad;
    CHECK(l.node("QGemm").run().says("should be float32, positive and normal"));
  }
  l.output_scale = 0.5;
  l.y = declared(MDL_INT8).quantized(0.5f, -3);
  CHECK(l.node("QGemm").run().says("output_scale should be there for a float output alone"));
}

TEST_CASE("QAddFloat by hand, and what it refuses") {
  const Value a = tensor<float>({4}, {3.875f, -2.125f, 1e30f, std::nanf("")});
  const Value b = tensor<int8_t>({4}, {5, -2, 0, 0}).quantized(0.25f, 1);
  const auto run = [&](const Value& left, const Value& right, double k) {
    return Case("QAddFloat")
        .input(left)
        .input(right)
        .output(Value{}.quantized(1, -3))
        .set("multiplier", k)
        .set("qmax", 100)
        .run();
  };
  // 3.875 + 1, -2.125 - 0.75; -3 added.
  CHECK(run(a, b, 0.25).values<int8_t>() == std::vector<int8_t>{2, -6, 100, -128});
  CHECK(run(a, b, 0.5).says("the scales give 0.25"));
  CHECK(
      run(tensor<float>({1}, {0}), b, 0.25).says("inputs are [1] and [4], should have one shape"));
  CHECK(run(b, b, 0.25).says("input 0 is int8, should be float32"));
  CHECK(run(a, counted<int8_t>({4}), 0.25).says("should be int8 with one scale"));
}

Value random_int8(Random& random, Ints dims) {
  std::vector<int8_t> values(static_cast<size_t>(count_of(dims)));
  random.fill(std::span(values));
  return tensor(std::move(dims), values);
}

Layer random_layer(Random& random, Ints x_dims, Ints w_dims) {
  Layer l;
  const auto zero_point = [&] { return random.one_in(4) ? 127 : random.integer(-128, 127); };
  const int64_t channels = w_dims[0];
  l.x = random_int8(random, std::move(x_dims)).quantized(random.real(0.01f, 0.1f), zero_point());
  l.w = random_int8(random, std::move(w_dims));
  const bool per_channel = random.one_in(2);
  for (int64_t c = 0; c < (per_channel ? channels : 1); ++c) {
    l.w.scales.push_back(random.real(0.001f, 0.1f));
    l.w.zero_points.push_back(random.one_in(2) ? 0 : zero_point());
  }
  if (random.one_in(3)) {
    l.y = declared(MDL_FLOAT32);
    l.bias = random_floats(random, {channels});
  } else {
    l.y = declared(MDL_INT8).quantized(random.real(0.5f, 1), zero_point());
    std::vector<int32_t> bias(static_cast<size_t>(channels));
    random.fill(std::span(bias), -100000, 100000);
    l.bias = tensor<int32_t>({channels}, bias);
  }
  if (random.one_in(4)) l.bias = {};
  l.finish();
  return l;
}

// Compares with the exact sums of the products, one for each output.
void check(const Layer& l, const Result& r, const std::vector<int64_t>& sums) {
  INFO(r.text);
  REQUIRE(r.status == MDL_OK);
  const size_t channels = static_cast<size_t>(l.w.dims[0]);
  const std::vector<float> multipliers = l.multiplier.as<float>();
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t c = i % channels;
    if (l.y.dtype == MDL_FLOAT32) {
      const float t = static_cast<float>(sums[i]) * multipliers[c];
      REQUIRE(r.values()[i] == (l.bias.dtype != 0 ? t + l.bias.as<float>()[c] : t));
    } else {
      const int64_t bias = l.bias.dtype != 0 ? l.bias.as<int32_t>()[c] : 0;
      const float t = static_cast<float>(sums[i] + bias) * multipliers[c];
      REQUIRE(r.values<int8_t>()[i] == quantized(t, l.y.zero_points[0]));
    }
  }
}

TEST_CASE("QGemm and QConv of random layers are exact") {
  const uint64_t seed = 20261125;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    INFO("seed " << seed << ", round " << round);
    const int64_t m = random.integer(1, 4), n = random.integer(1, 4), k = random.integer(1, 40);
    const Layer gemm = random_layer(random, {m, k}, {n, k});
    std::vector<int64_t> sums;
    for (int64_t i = 0; i < m * n; ++i) {
      sums.push_back(0);
      for (int64_t j = 0; j < k; ++j) {
        sums.back() +=
            (gemm.x.as<int8_t>()[static_cast<size_t>(i / n * k + j)] - gemm.x.zero_points[0]) *
            (gemm.w.as<int8_t>()[static_cast<size_t>(i % n * k + j)] -
             gemm.zero_point(static_cast<size_t>(i % n)));
      }
    }
    check(gemm, gemm.node("QGemm").run(), sums);

    // The float convolution of the differences is exact too, and tested on its own.
    const int64_t group = random.integer(1, 2), c = random.integer(1, 3), o = random.integer(1, 3);
    const int64_t kernel = random.integer(1, 3);
    const Layer conv =
        random_layer(random, {2, random.integer(3, 5), random.integer(3, 5), c * group},
                     {o * group, kernel, kernel, c});
    const std::vector<int8_t> xs = conv.x.as<int8_t>(), ws = conv.w.as<int8_t>();
    std::vector<float> x_real, w_real;
    for (const int8_t q : xs) x_real.push_back(static_cast<float>(q - conv.x.zero_points[0]));
    for (size_t i = 0; i < ws.size(); ++i) {
      const size_t channel = i / (ws.size() / static_cast<size_t>(o * group));
      w_real.push_back(static_cast<float>(ws[i] - conv.zero_point(channel)));
    }
    const Ints pads = {1, 0, 0, 1}, strides = {2, 1};
    const std::vector<float> y = Case("Conv")
                                     .input(tensor<float>(conv.x.dims, x_real))
                                     .input(tensor<float>(conv.w.dims, w_real))
                                     .set("group", group)
                                     .set("pads", pads)
                                     .set("strides", strides)
                                     .run()
                                     .values();
    sums.assign(y.begin(), y.end());
    check(conv,
          conv.node("QConv").set("group", group).set("pads", pads).set("strides", strides).run(),
          sums);
  }
}

TEST_CASE("A layer's stored numbers are proved") {
  Layer l;
  l.x = counted<int8_t>({1, 2}).quantized(0.5f, 0);
  l.w = tensor<int8_t>({1, 2}, {3, -4}).quantized(0.1f, 0);
  l.bias = tensor<int32_t>({1}, {5});
  l.y = declared(MDL_INT8).quantized(0.3f, 0);
  l.finish();
  REQUIRE(l.node("QGemm").run().status == MDL_OK);
  const auto refuse = [&](auto change) {
    Layer bad = l;
    change(bad);
    const Result r = bad.node("QGemm").run();
    CHECK(r.status != MDL_OK);
    return r;
  };
  CHECK(refuse([](Layer& b) { b.multiplier.bytes[0] ^= 1; }).says("multiplier 0 is 0.166666"));
  CHECK(
      refuse([](Layer& b) { b.positive = {4}; }).says("positive_sums[0] is 4, the weights give 3"));
  CHECK(refuse([](Layer& b) {
          b.negative = {4, 4};
        }).says("negative_sums has 2 entries, should have 1"));
  CHECK(refuse([](Layer& b) { b.w.constant = false; }).says("the weights 'x1' should be constant"));
  CHECK(refuse([](Layer& b) { b.bias.constant = false; }).says("the bias 'x2' should be constant"));
  CHECK(refuse([](Layer& b) { b.x.scales = {}; }).says("'x0' should be int8 with one scale"));
  CHECK(refuse([](Layer& b) { b.x.zero_points = {-129}; }).says("a zero point of int8"));
  CHECK(refuse([](Layer& b) { b.w.zero_points = {200}; }).says("zero points of int8"));
  CHECK(refuse([](Layer& b) { b.bias = tensor<float>({1}, {0}); }).says("should be int32"));
  CHECK(refuse([](Layer& b) { b.y = declared(MDL_INT16); }).says("should be int8 or float32"));
  CHECK(refuse([](Layer& b) { b.multiplier = {}; }).says("input 3 is none, should be float32"));
  CHECK(refuse([](Layer& b) {
          b.bias = tensor<int32_t>({1}, {std::numeric_limits<int32_t>::max()}).as_constant();
        }).says("the sums of channel 0 may reach from 2147482755 to 2147484540"));
  CHECK(l.node("QGemm").set("qmin", 5).set("qmax", 4).run().says("qmin and qmax are 5 and 4"));
  CHECK(Case("QGemm")
            .input(l.x)
            .input(l.w)
            .set("positive_sums", Ints{3})
            .set("negative_sums", Ints{4})
            .run()
            .says("has 2 inputs, should have 4"));
}

TEST_CASE("A layer's multiplier has to be normal") {
  Layer l;
  l.x = counted<int8_t>({1, 1}).quantized(1e-30f, 0);
  l.w = counted<int8_t>({1, 1}).quantized(1e-10f, 0);
  l.y = declared(MDL_INT8).quantized(1, 0);
  l.finish();
  CHECK(l.node("QGemm").run().says("which is not normal"));
}

}  // namespace
}  // namespace medulla::test
