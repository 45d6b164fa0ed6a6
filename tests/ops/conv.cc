// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/catch.h"
#include "tests/ops/bound.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;

TEST_CASE("Conv of a signal") {
  const Value x = tensor<float>({1, 4, 1}, {1, 2, 3, 4});
  const Value w = tensor<float>({1, 3, 1}, {1, 10, 100});
  const Result plain = Case("Conv").input(x).input(w).run();
  CHECK(plain.dims() == Ints{1, 2, 1});
  CHECK(plain.values() == std::vector<float>{321, 432});
  const Result padded = Case("Conv")
                            .input(x)
                            .input(w)
                            .input(tensor<float>({1}, {0.5f}))
                            .set("pads", Ints{1, 2})
                            .set("strides", Ints{2})
                            .run();
  CHECK(padded.dims() == Ints{1, 3, 1});
  CHECK(padded.values() == std::vector<float>{210.5f, 432.5f, 4.5f});
}

TEST_CASE("Conv in groups keeps to its channels") {
  const Result r = Case("Conv")
                       .input(tensor<float>({1, 1, 1, 4}, {1, 2, 3, 4}))
                       .input(tensor<float>({2, 1, 1, 2}, {1, 10, 100, 1000}))
                       .set("group", 2)
                       .run();
  CHECK(r.values() == std::vector<float>{21, 4300});
}

TEST_CASE("Conv takes the padding as zeros, and starts from a positive zero") {
  const float inf = std::numeric_limits<float>::infinity();
  const Result r = Case("Conv")
                       .input(tensor<float>({1, 1, 1}, {1}))
                       .input(tensor<float>({1, 2, 1}, {inf, 1}))
                       .set("pads", Ints{1, 0})
                       .run();
  CHECK(std::isnan(r.values()[0]));
  const Result zero = Case("Conv")
                          .input(tensor<float>({1, 1, 1}, {0}))
                          .input(tensor<float>({1, 1, 1}, {-1}))
                          .input(tensor<float>({1}, {-0.0f}))
                          .run();
  CHECK_FALSE(std::signbit(zero.values()[0]));
}

// Coordinates in each of up to three spatial dimensions.
struct Axis {
  int64_t in, kernel, stride, dilation, begin, end;
};

struct Layer {
  std::vector<Axis> axes;
  int64_t batch, group, group_in, group_out;

  Case attributes(const char* op) const {
    Case c(op);
    std::vector<int64_t> strides, dilations, pads, ends;
    for (const Axis& a : axes) {
      strides.push_back(a.stride);
      dilations.push_back(a.dilation);
      pads.push_back(a.begin);
      ends.push_back(a.end);
    }
    pads.insert(pads.end(), ends.begin(), ends.end());
    c.set("strides", strides).set("dilations", dilations).set("pads", pads).set("group", group);
    return c;
  }
};

Layer random_layer(Random& random) {
  Layer layer;
  layer.batch = random.integer(1, 2);
  layer.group = random.one_in(3) ? random.integer(2, 3) : 1;
  layer.group_in = random.integer(1, 4);
  layer.group_out = random.integer(1, 3);
  const int spatial = random.integer(1, 3);
  for (int d = 0; d < spatial; ++d) {
    Axis a = {random.integer(1, 6), random.integer(1, 3), random.integer(1, 3),
              random.integer(1, 2), random.integer(0, 2), random.integer(0, 2)};
    while (a.in + a.begin + a.end < (a.kernel - 1) * a.dilation + 1) ++a.in;
    layer.axes.push_back(a);
  }
  return layer;
}

// Spreads each input value over the outputs (forward: false) or gathers them (true): the same sum
// over pairs of input and output whose distance is a tap's.
std::vector<Exact> naive(const Layer& layer, bool forward, const Value& x, const Value& w,
                         const Value& bias, const std::vector<int64_t>& y_dims) {
  const size_t spatial = layer.axes.size();
  const std::vector<float> xs = x.as<float>();
  const std::vector<float> ws = w.as<float>();
  const std::vector<float> bs = bias.as<float>();
  std::vector<Exact> y(static_cast<size_t>(count_of(y_dims)));
  for (size_t i = 0; i < y.size(); ++i) y[i].add(static_cast<double>(bs[i % bs.size()]));
  const auto split = [&](int64_t flat, const std::vector<int64_t>& dims) {
    std::vector<int64_t> index(dims.size());
    for (size_t d = dims.size(); d-- > 0; flat /= dims[d]) index[d] = flat % dims[d];
    return index;
  };
  for (int64_t iw = 0; iw < count_of(w.dims); ++iw) {
    const std::vector<int64_t> k = split(iw, w.dims);
    const int64_t o = k[0];
    const int64_t c = o / layer.group_out * layer.group_in + k[spatial + 1];
    for (int64_t ix = 0; ix < count_of(x.dims); ++ix) {
      const std::vector<int64_t> from = split(ix, x.dims);
      if (from[spatial + 1] != c) continue;
      int64_t to = from[0];
      bool hit = true;
      for (size_t d = 0; d < spatial; ++d) {
        const Axis& a = layer.axes[d];
        const int64_t tap = k[1 + d] * a.dilation - a.begin;
        const int64_t numerator = forward ? from[1 + d] - tap : from[1 + d] * a.stride + tap;
        const int64_t divisor = forward ? a.stride : 1;
        const int64_t out = numerator / divisor;
        hit = hit && numerator >= 0 && numerator % divisor == 0 && out < y_dims[1 + d];
        to = to * y_dims[1 + d] + out;
      }
      if (hit) {
        y[static_cast<size_t>(to * y_dims[spatial + 1] + o)].add(
            static_cast<double>(xs[static_cast<size_t>(ix)]) *
            static_cast<double>(ws[static_cast<size_t>(iw)]));
      }
    }
  }
  return y;
}

void check_random(const char* op, bool forward) {
  const uint64_t seed = 20261122;
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    INFO("seed " << seed << ", round " << round);
    const Layer layer = random_layer(random);
    std::vector<int64_t> x_dims = {layer.batch};
    std::vector<int64_t> w_dims = {layer.group * layer.group_out};
    for (const Axis& a : layer.axes) {
      x_dims.push_back(a.in);
      w_dims.push_back(a.kernel);
    }
    x_dims.push_back(layer.group * layer.group_in);
    w_dims.push_back(layer.group_in);
    const Value x = random_floats(random, x_dims);
    const Value w = random_floats(random, w_dims);
    const Value bias = random_floats(random, {w_dims[0]});
    const Result r = layer.attributes(op).input(x).input(w).input(bias).run();
    if (!forward && r.status == MDL_ERROR_SHAPE) continue;  // all output is cut off
    INFO(r.text);
    REQUIRE(r.status == MDL_OK);
    const std::vector<Exact> expected = naive(layer, forward, x, w, bias, r.dims());
    const std::vector<float> y = r.values();
    for (size_t i = 0; i < y.size(); ++i) REQUIRE(expected[i].near(y[i]));
  }
}

TEST_CASE("Conv of random layers is what pairs of inputs and outputs give") {
  check_random("Conv", true);
}

TEST_CASE("ConvTranspose spreads a signal") {
  const Value x = tensor<float>({1, 2, 1}, {1, 2});
  const Value w = tensor<float>({1, 3, 1}, {1, 10, 100});
  const auto node = [&](Ints strides, Ints pads, Ints extra) {
    return Case("ConvTranspose")
        .input(x)
        .input(w)
        .set("strides", strides)
        .set("pads", pads)
        .set("output_padding", extra)
        .run();
  };
  CHECK(node({1}, {}, {}).values() == std::vector<float>{1, 12, 120, 200});
  CHECK(node({2}, {}, {}).values() == std::vector<float>{1, 10, 102, 20, 200});
  CHECK(node({2}, {1, 1}, {1}).values() == std::vector<float>{10, 102, 20, 200});
  CHECK(node({4}, {}, {1}).values() == std::vector<float>{1, 10, 100, 0, 2, 20, 200, 0});
  CHECK(node({1}, {2, 2}, {}).says("an output's extent would be 0, should be from 1"));
}

TEST_CASE("ConvTranspose of random layers is what pairs of inputs and outputs give") {
  check_random("ConvTranspose", false);
}

TEST_CASE("Conv of int32 is exact and wraps") {
  const Value x = tensor<int32_t>({1, 3, 1}, {1 << 30, 3, -5});
  const Value w = tensor<int32_t>({1, 2, 1}, {4, 7});
  CHECK(Case("Conv").input(x).input(w).run().values<int32_t>() == std::vector<int32_t>{21, -23});
  CHECK(Case("Conv").input(x).input(w).input(tensor<int32_t>({1}, {100})).run().values<int32_t>() ==
        std::vector<int32_t>{121, 77});
  CHECK(Case("Conv")
            .input(x)
            .input(counted<float>({1, 2, 1}))
            .run()
            .says("input 1 is float32, should be int32"));
}

TEST_CASE("Conv says what it refuses") {
  const Value x = counted<float>({1, 4, 4, 6});
  const auto refuse = [&](Value w, const char* name, std::vector<int64_t> values) {
    Case c("Conv");
    c.input(x).input(std::move(w));
    if (name != nullptr) c.set(name, values);
    return c.run();
  };
  CHECK(refuse(counted<float>({2, 3, 3, 5}), nullptr, {})
            .says("input 0 is [1,4,4,6], the weights are [2,3,3,5] and group is 1; should be "
                  "[N, ..., C], [O, ..., C / group] and a divisor of C and O"));
  CHECK(refuse(counted<float>({2, 3, 6}), nullptr, {}).says("should have one rank from 3 to 5"));
  CHECK(refuse(counted<float>({2, 5, 3, 6}), nullptr, {})
            .says("the kernel reaches over 5 values, more than the 4 of the input [1,4,4,6] with "
                  "padding 0 and 0"));
  const Value w = counted<float>({2, 3, 3, 6});
  CHECK(refuse(w, "strides", {1}).says("strides has 1 entries, should have 2"));
  CHECK(refuse(w, "strides", {1, 0}).says("strides[1] is 0, should be from 1 to 2147483647"));
  CHECK(refuse(w, "dilations", {int64_t{1} << 40, 1}).says("dilations[0] is 1099511627776"));
  CHECK(refuse(w, "pads", {0, 0, -1, 0}).says("pads[2] is -1, should be from 0"));
  CHECK(Case("Conv").input(x).input(w).input(counted<float>({3})).run().text ==
        "node 'n' (Conv): input 2 is [3], should be [2]");
  CHECK(Case("Conv").input(x).input(w).set("group", 0).run().says("group is 0"));
  CHECK(Case("Conv").input(counted<int8_t>({1, 4, 4, 6})).input(w).run().text ==
        "node 'n' (Conv): input 0 is int8, should be int32 or float32");
}

TEST_CASE("Conv counts its products") {
  Case c("Conv");
  c.input(counted<float>({2, 4, 4, 6})).input(counted<float>({4, 3, 3, 3})).set("group", 2);
  REQUIRE(c.run().status == MDL_OK);
  CHECK(c.macs() == 2 * 2 * 2 * 4 * 27);
}

}  // namespace
}  // namespace medulla::test
