// SPDX-License-Identifier: Apache-2.0
// Operators on int16 activations, layers with int8 weights among them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;

// A layer with all that its node stores.
struct Layer {
  Value x, w, bias, multiplier, y;
  Ints positive, negative;

  void finish() {
    const std::vector<int8_t> ws = w.as<int8_t>();
    const size_t channels = static_cast<size_t>(w.dims[0]);
    const size_t length = ws.size() / channels;
    positive.assign(channels, 0);
    negative.assign(channels, 0);
    for (size_t i = 0; i < ws.size(); ++i) {
      const int v = ws[i] - zero_point(i / length);
      (v > 0 ? positive : negative)[i / length] += std::abs(v);
    }
    multiplier = tensor<double>(Ints{w.dims[0]}, multipliers()).as_constant();
    w = w.as_constant();
    bias = bias.as_constant();
  }
  int zero_point(size_t c) const { return w.zero_points[w.zero_points.size() > 1 ? c : 0]; }
  std::vector<double> multipliers() const {
    std::vector<double> m;
    for (size_t c = 0; c < positive.size(); ++c) {
      const float s_w = w.scales[w.scales.size() > 1 ? c : 0];
      m.push_back(static_cast<double>(x.scales[0]) * static_cast<double>(s_w) /
                  static_cast<double>(y.scales[0]));
    }
    return m;
  }
  Case node(const char* op) const {
    Case c(op);
    c.input(x).input(w).input(bias).input(multiplier).output(y);
    c.set("positive_sums", positive).set("negative_sums", negative);
    return c;
  }
};

template <class T>
Value random_integers(Random& random, Ints dims) {
  std::vector<T> values(static_cast<size_t>(count_of(dims)));
  random.fill(std::span(values));
  return tensor(std::move(dims), values);
}

int zero_point(Random& random) {
  return random.one_in(2) ? 0 : static_cast<int>(random.integer(-32768, 32767));
}

Layer random_layer(Random& random, Ints x_dims, Ints w_dims) {
  Layer l;
  const int64_t channels = w_dims[0];
  l.x = random_integers<int16_t>(random, std::move(x_dims))
            .quantized(random.real(1e-5f, 1e-3f), zero_point(random));
  l.w = random_integers<int8_t>(random, std::move(w_dims));
  const int64_t scales = random.one_in(2) ? channels : 1;
  for (int64_t c = 0; c < scales; ++c) {
    l.w.scales.push_back(random.real(0.001f, 0.1f));
    l.w.zero_points.push_back(random.one_in(2) ? 0 : static_cast<int>(random.integer(-128, 127)));
  }
  l.y = declared(MDL_INT16).quantized(random.real(1e-3f, 1e-2f), zero_point(random));
  std::vector<int64_t> bias(static_cast<size_t>(channels));
  for (int64_t& b : bias) b = random.integer(-(int64_t{1} << 40), int64_t{1} << 40);
  if (!random.one_in(4)) l.bias = tensor(Ints{channels}, bias);
  l.finish();
  return l;
}

// rne(clamp(t)) + z by the C library.
int16_t quantized(double t, int32_t z, double qmin = -32768, double qmax = 32767) {
  return static_cast<int16_t>(std::nearbyint(std::clamp(t, qmin - z, qmax - z)) + z);
}

// Compares with the exact sums of the products, one for each output.
void check(const Layer& l, const Result& r, const Ints& sums) {
  INFO(r.text);
  REQUIRE(r.status == MDL_OK);
  const size_t channels = static_cast<size_t>(l.w.dims[0]);
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t c = i % channels;
    const int64_t bias = l.bias.dtype != 0 ? l.bias.as<int64_t>()[c] : 0;
    const double t = static_cast<double>(sums[i] + bias) * l.multipliers()[c];
    REQUIRE(r.values<int16_t>()[i] == quantized(t, l.y.zero_points[0]));
  }
}

TEST_CASE("QGemm and QConv of int16 are exact") {
  const uint64_t seed = 20261122;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    INFO("seed " << seed << ", round " << round);
    const int64_t m = random.integer(1, 4), n = random.integer(1, 4), k = random.integer(1, 40);
    const Layer gemm = random_layer(random, {m, k}, {n, k});
    Ints sums;
    for (int64_t i = 0; i < m * n; ++i) {
      sums.push_back(0);
      for (int64_t j = 0; j < k; ++j) {
        const int64_t x = gemm.x.as<int16_t>()[static_cast<size_t>(i / n * k + j)];
        const int64_t w = gemm.w.as<int8_t>()[static_cast<size_t>(i % n * k + j)];
        sums.back() +=
            (x - gemm.x.zero_points[0]) * (w - gemm.zero_point(static_cast<size_t>(i % n)));
      }
    }
    check(gemm, gemm.node("QGemm").run(), sums);

    // The convolution of the differences in float64 is exact too.
    const int64_t group = random.integer(1, 2), c = random.integer(1, 3), o = random.integer(1, 3);
    const int64_t kernel = random.integer(1, 3), size = random.integer(3, 5);
    const Layer conv = random_layer(random, {2, size, c * group}, {o * group, kernel, c});
    const int64_t out = (size + 1 - kernel) / 2 + 1;
    sums.clear();
    for (int64_t i = 0; i < 2 * out * o * group; ++i) {
      const int64_t channel = i % (o * group), p = i / (o * group) % out,
                    image = i / (o * group) / out;
      int64_t sum = 0;
      for (int64_t t = 0; t < kernel * c; ++t) {
        const int64_t at = p * 2 + t / c - 1;
        if (at < 0 || at >= size) continue;
        const int64_t from = (image * size + at) * c * group + channel / o * c + t % c;
        sum += (conv.x.as<int16_t>()[static_cast<size_t>(from)] - conv.x.zero_points[0]) *
               int64_t{conv.w.as<int8_t>()[static_cast<size_t>(channel * kernel * c + t)] -
                       conv.zero_point(static_cast<size_t>(channel))};
      }
      sums.push_back(sum);
    }
    check(conv,
          conv.node("QConv")
              .set("group", group)
              .set("pads", Ints{1, 0})
              .set("strides", Ints{2})
              .run(),
          sums);
  }
}

TEST_CASE("The sums of an int16 layer may need 53 bits") {
  Layer l;
  l.x = tensor<int16_t>({1, 2}, {32767, -32768}).quantized(1, 0);
  l.w = tensor<int8_t>({1, 2}, {127, -128}).quantized(1, 0);
  l.y = declared(MDL_INT16).quantized(16777216.0f, 0);
  // The product's 8355713 and what is missing to half a step above 2^48 of 2^24: a tie but for 1.
  const int64_t tie = (int64_t{1} << 36) + (int64_t{1} << 23);
  const int64_t product = 32767 * 127 + 32768 * 128;
  for (const int64_t more : {-1, 0, 1}) {
    l.bias = tensor<int64_t>({1}, {tie - product + more});
    l.finish();
    CHECK(l.node("QGemm").run().values<int16_t>() ==
          std::vector<int16_t>{static_cast<int16_t>(more > 0 ? 4097 : 4096)});
  }
  const int64_t most = (int64_t{1} << 53) - product;
  for (const int64_t b : {most, -most + 256}) {
    l.bias = tensor<int64_t>({1}, {b});
    l.finish();
    const Result r = l.node("QGemm").run();
    INFO(r.text);
    CHECK(r.status == MDL_OK);
  }
}

TEST_CASE("An int16 layer's stored numbers are proved") {
  Layer l;
  l.x = counted<int16_t>({1, 2}).quantized(0.5f, 0);
  l.w = tensor<int8_t>({1, 2}, {3, -4}).quantized(0.1f, 0);
  l.bias = tensor<int64_t>({1}, {5});
  l.y = declared(MDL_INT16).quantized(0.3f, 0);
  l.finish();
  REQUIRE(l.node("QGemm").run().status == MDL_OK);
  const auto refuse = [&](auto change) {
    Layer bad = l;
    change(bad);
    const Result r = bad.node("QGemm").run();
    CHECK(r.status != MDL_OK);
    INFO(r.text);
    return r;
  };
  const auto bias = [](int64_t b) { return tensor<int64_t>({1}, {b}).as_constant(); };
  // One unit in the last place of binary64.
  CHECK(refuse([](Layer& b) { b.multiplier.bytes[0] ^= 1; }).says("multiplier 0 is 0.1666666"));
  CHECK(refuse([](Layer& b) {
          b.multiplier = tensor<float>({1}, {0.5f}).as_constant();
        }).says("input 3 is float32, should be float64"));
  CHECK(refuse([](Layer& b) { b.positive = {4}; }).says("positive_sums[0] is 4"));
  CHECK(refuse([](Layer& b) { b.negative = {3}; }).says("negative_sums[0] is 3"));
  CHECK(refuse([](Layer& b) {
          b.bias = tensor<int32_t>({1}, {5}).as_constant();
        }).says("input 2 is int32, should be int64"));
  CHECK(refuse([](Layer& b) { b.bias.constant = false; }).says("the bias 'x2' should be constant"));
  for (const int64_t b : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                          -(int64_t{1} << 53) - 1, (int64_t{1} << 53) + 1}) {
    CHECK(refuse([&](Layer& c) { c.bias = bias(b); }).says("should fit 53 bits"));
  }
  // 3 * 32767 + 4 * 32768 = 229373, -3 * 32768 - 4 * 32767 = -229372
  CHECK(refuse([&](Layer& c) {
          c.bias = bias((int64_t{1} << 53) - 229372);
        }).says("may reach from 9007199254282248 to 9007199254740993"));
  CHECK(refuse([&](Layer& c) {
          c.bias = bias(-(int64_t{1} << 53) + 229371);
        }).says("may reach from -9007199254740993 to"));
  CHECK(refuse([](Layer& b) { b.x.zero_points = {32768}; }).says("a zero point of int16"));
  CHECK(refuse([](Layer& b) { b.x.scales = {}; }).says("'x0' should be int16 with one scale"));
  CHECK(refuse([](Layer& b) { b.x.scales = {std::nanf("")}; }).says("positive and normal"));
  CHECK(refuse([](Layer& b) { b.w.scales = {std::nanf("")}; }).says("which is not normal"));
  CHECK(refuse([](Layer& b) { b.w.zero_points = {200}; }).says("zero points of int8"));
  CHECK(
      refuse([](Layer& b) { b.y = declared(MDL_FLOAT32); }).says("should be int16 as input 0 is"));
  CHECK(
      refuse([](Layer& b) { b.y = declared(MDL_INT8).quantized(1, 0); }).says("output 0 is int8"));
  CHECK(refuse([](Layer& b) { b.y.zero_points = {-32769}; }).says("a zero point of int16"));
  CHECK(refuse([](Layer& b) {
          b.w = counted<int16_t>({1, 2}).quantized(1, 0).as_constant();
        }).says("input 1 is int16, should be int8"));
  CHECK(l.node("QGemm").set("qmax", 32768).run().says("within -32768 to 32767"));
  CHECK(l.node("QGemm").set("output_scale", 0.5).run().says("for a float output alone"));
}

float ratio(float a, float b) {
  return static_cast<float>(static_cast<double>(a) / static_cast<double>(b));
}

TEST_CASE("Sums and products of int16 are rounded as those of int8") {
  const uint64_t seed = 20261123;
  Random random(seed);
  for (int round = 0; round < 50; ++round) {
    INFO("seed " << seed << ", round " << round);
    const Value a = random_integers<int16_t>(random, {3, 5})
                        .quantized(random.real(0.01f, 0.1f), zero_point(random));
    const Value b = random_integers<int16_t>(random, {5})
                        .quantized(random.real(0.01f, 0.1f), zero_point(random));
    const Value y = Value{}.quantized(random.real(0.1f, 1), zero_point(random));
    const float k_a = ratio(a.scales[0], y.scales[0]), k_b = ratio(b.scales[0], y.scales[0]);
    const float m =
        static_cast<float>(static_cast<double>(a.scales[0]) * static_cast<double>(b.scales[0]) /
                           static_cast<double>(y.scales[0]));
    const std::vector<double> k = {static_cast<double>(k_a), static_cast<double>(k_b)};
    const auto sum = [&](const char* op) {
      return Case(op).input(a).input(b).output(y).set("multipliers", k).run().values<int16_t>();
    };
    const std::vector<int16_t> added = sum("QAdd"), subtracted = sum("QSub");
    const std::vector<int16_t> multiplied =
        Case("QMul").input(a).input(b).output(y).set("multiplier", m).run().values<int16_t>();
    const int32_t z = y.zero_points[0];
    REQUIRE(added.size() == 15);
    for (size_t i = 0; i < 15; ++i) {
      const int64_t d_a = a.as<int16_t>()[i] - a.zero_points[0];
      const int64_t d_b = b.as<int16_t>()[i % 5] - b.zero_points[0];
      const float left = static_cast<float>(d_a) * k_a, right = static_cast<float>(d_b) * k_b;
      REQUIRE(added[i] == quantized(static_cast<double>(left + right), z));
      REQUIRE(subtracted[i] == quantized(static_cast<double>(left - right), z));
      REQUIRE(multiplied[i] ==
              quantized(static_cast<double>(static_cast<float>(d_a * d_b) * m), z));
    }
  }
  const Value a = counted<int16_t>({2}).quantized(1, 0), b = counted<int8_t>({2}).quantized(1, 0);
  const std::vector<double> ones = {1, 1};
  CHECK(Case("QAdd")
            .input(a)
            .input(b)
            .output(a)
            .set("multipliers", ones)
            .run()
            .says("input 1 is int8"));
}

TEST_CASE("QConcat of int16 rescales what has another scale") {
  const Value a = tensor<int16_t>({2}, {-32768, 32767}).quantized(0.5f, 1);
  const Value b = tensor<int16_t>({2}, {-32768, 7}).quantized(1, -3);
  const Result r = Case("QConcat")
                       .input(a)
                       .input(b)
                       .output(Value{}.quantized(1, -3))
                       .set("axis", 0)
                       .set("multipliers", std::vector<double>{0.5, 1})
                       .run();
  // -16384.5 to even, 16383
  CHECK(r.values<int16_t>() == std::vector<int16_t>{-16387, 16380, -32768, 7});
}

TEST_CASE("Pools of int16") {
  const Value x = tensor<int16_t>({1, 3, 1}, {32767, 32766, -32768}).quantized(1, 32767);
  const Value y = Value{}.quantized(1, 32767);
  const std::vector<double> table = {1, 0.5};
  const Result average = Case("QAveragePool")
                             .input(x)
                             .output(y)
                             .set("kernel_shape", Ints{2})
                             .set("multipliers", table)
                             .run();
  // (0 - 1) / 2 and (-1 - 65535) / 2
  CHECK(average.values<int16_t>() == std::vector<int16_t>{32767, -1});
  // 70000 differences of -65535 leave int32.
  const Value many =
      tensor<int16_t>({1, 70000, 1}, std::vector<int16_t>(70000, -32768)).quantized(1, 32767);
  const Result global = Case("QGlobalAveragePool")
                            .input(many)
                            .output(declared(MDL_INT16).quantized(1, 32767))
                            .set("multiplier", ratio(1, 70000))
                            .run();
  INFO(global.text);
  CHECK(global.values<int16_t>() == std::vector<int16_t>{-32768});
  const Result greatest =
      Case("MaxPool").input(x).output(x).set("kernel_shape", Ints{2}).set("pads", Ints{1, 1}).run();
  CHECK(greatest.values<int16_t>() == std::vector<int16_t>{32767, 32767, 32766, -32768});
  CHECK(Case("GlobalMaxPool").input(x).output(x).run().values<int16_t>() ==
        std::vector<int16_t>{32767});
}

}  // namespace
}  // namespace medulla::test
