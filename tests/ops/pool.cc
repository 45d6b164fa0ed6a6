// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/bound.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Case pool(const char* op, const Value& x, const Ints& kernel, const Ints& strides = {},
          const Ints& pads = {}) {
  Case c(op);
  c.input(x).set("kernel_shape", kernel).set("strides", strides).set("pads", pads);
  return c;
}

TEST_CASE("Pools of a signal") {
  const Value x = tensor<float>({1, 5, 1}, {1, 5, 2, -4, 3});
  CHECK(pool("MaxPool", x, {2}).run().values() == std::vector<float>{5, 5, 2, 3});
  CHECK(pool("MaxPool", x, {3}, {2}, {1, 1}).run().values() == std::vector<float>{5, 5, 3});
  CHECK(pool("AveragePool", x, {2}, {2}).run().values() == std::vector<float>{3, -1});
  CHECK(pool("AveragePool", x, {3}, {2}, {1, 1}).run().values() == std::vector<float>{3, 1, -0.5f});
  CHECK(pool("AveragePool", x, {3}, {2}, {1, 1}).set("count_include_pad", 1).run().values() ==
        std::vector<float>{2, 1, -1.0f / 3});
}

TEST_CASE("With ceil_mode a window may hang over the end, but not start there") {
  const Value x = tensor<float>({1, 5, 1}, {1, 5, 2, -4, 3});
  CHECK(pool("MaxPool", x, {2}, {2}).set("ceil_mode", 1).run().values() ==
        std::vector<float>{5, 2, 3});
  CHECK(pool("AveragePool", x, {2}, {2}).set("ceil_mode", 1).run().values() ==
        std::vector<float>{3, -1, 3});
  // The last window has one value and one of padding; what hangs over further is not counted.
  CHECK(pool("AveragePool", x, {4}, {4}, {0, 1})
            .set("ceil_mode", 1)
            .set("count_include_pad", 1)
            .run()
            .values() == std::vector<float>{1, 1.5f});
  CHECK(pool("MaxPool", x, {1}, {5}, {}).set("ceil_mode", 1).run().dims() == Ints{1, 1, 1});
}

TEST_CASE("MaxPool says where the greatest stand, MaxUnpool puts them there") {
  // Channels 0 and 1 of a picture of 2 by 4.
  const Value x = tensor<float>({1, 2, 4, 2}, {1, 9, 7, 9, 2, 0, kNan, 3, 5, 9, 3, 2, 4, 5, 8, 5});
  Case c = pool("MaxPool", x, {2, 2}, {2, 2});
  const Result rows = c.output().output().run();
  CHECK(rows.dims(1) == Ints{1, 1, 2, 2});
  CHECK(rows.values<int64_t>(1) == Ints{1, 8, 3, 14});
  const Result columns = c.set("storage_order", 1).run();
  CHECK(columns.values<int64_t>(1) == Ints{2, 8, 6, 13});
  const Result alone = pool("MaxPool", x, {2, 2}, {2, 2}).no_output().output().run();
  CHECK(alone.values<int64_t>(1) == Ints{1, 8, 3, 14});
  const Value lows = tensor<float>({1, 2, 1}, {-kInf, -kInf});
  CHECK(pool("MaxPool", lows, {2}).output().output().run().values<int64_t>(1) == Ints{0});

  const Result back = Case("MaxUnpool")
                          .input(tensor<float>({1, 1, 2, 2}, {7, 9, 6, 5}))
                          .input(tensor<int64_t>({1, 1, 2, 2}, {1, 8, 3, 14}))
                          .set("spatial", Ints{2, 4})
                          .run();
  CHECK(back.dims() == Ints{1, 2, 4, 2});
  CHECK(back.values() == std::vector<float>{0, 9, 7, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 5, 0, 0});
  const auto unpool = [](int64_t index, const Ints& spatial) {
    return Case("MaxUnpool")
        .input(counted<float>({1, 1, 1}))
        .input(tensor<int64_t>({1, 1, 1}, {index}))
        .set("spatial", spatial)
        .run();
  };
  CHECK(unpool(4, {4}).says("index 0 is 4, should be from -4 to 3"));
  CHECK(unpool(0, {2, 2}).says("spatial has 2 entries"));
}

TEST_CASE("LpPool leaves the padding out") {
  const Value x = tensor<float>({1, 3, 1}, {3, -4, 12});
  CHECK(pool("LpPool", x, {2}).run().values()[0] == 5);
  CHECK(pool("LpPool", x, {2}, {2}, {1, 0}).run().values() ==
        std::vector<float>{3, std::sqrt(160.0f)});
  CHECK(pool("LpPool", x, {2}).set("p", 1).run().values() == std::vector<float>{7, 16});
  CHECK(pool("LpPool", x, {2}).set("p", 3).run().says("p is 3, should be 1 or 2"));
}

TEST_CASE("MaxPool keeps NaN and the first of zeros, and takes integers") {
  const Value x = tensor<float>({1, 6, 1}, {kNan, 1, -0.0f, 0.0f, -kInf, -kInf});
  CHECK(difference<float>(pool("MaxPool", x, {2}, {2}).run().values(),
                          std::vector<float>{kNan, -0.0f, -kInf}) == "");
  const Value q = tensor<int8_t>({1, 4, 1}, {-128, -128, 3, -7}).quantized(0.5f, 3);
  const Result r = pool("MaxPool", q, {2}, {2}).output(declared(MDL_INT8).quantized(0.5f, 3)).run();
  CHECK(r.values<int8_t>() == std::vector<int8_t>{-128, 3});
  CHECK(pool("MaxPool", q, {2})
            .output(declared(MDL_INT8).quantized(0.25f, 3))
            .run()
            .says("differ in quantization"));
  CHECK(pool("MaxPool", tensor<uint8_t>({1, 2, 1}, {0, 200}), {2}).run().values<uint8_t>() ==
        std::vector<uint8_t>{200});
}

TEST_CASE("A window much larger than the input takes no longer than the input") {
  const Value x = tensor<float>({1, 1, 2, 1, 1}, {3, 4});
  const Ints kernel = {32768, 32768, 32768};
  const Ints pads = {32767, 32767, 32767, 0, 0, 0};
  CHECK(pool("MaxPool", x, kernel, {}, pads).run().values() == std::vector<float>{3, 4});
  CHECK(pool("AveragePool", x, kernel, {}, pads).run().values() == std::vector<float>{3, 3.5f});
  CHECK(pool("LpPool", x, kernel, {}, pads).run().values() == std::vector<float>{3, 5});
}

TEST_CASE("Global pools") {
  const Value x = tensor<float>({1, 2, 2, 2}, {1, -1, 2, -2, 3, kNan, 6, -4});
  Result r = Case("GlobalAveragePool").input(x).run();
  CHECK(r.dims() == Ints{1, 1, 1, 2});
  CHECK(difference<float>(r.values(), std::vector<float>{3, kNan}) == "");
  r = Case("GlobalMaxPool").input(x).run();
  CHECK(difference<float>(r.values(), std::vector<float>{6, kNan}) == "");
  const Value q = tensor<int8_t>({2, 2, 1}, {-5, -7, 9, 8});
  CHECK(Case("GlobalMaxPool").input(q).run().values<int8_t>() == std::vector<int8_t>{-5, 9});
  CHECK(Case("GlobalAveragePool").input(counted<float>({2, 3})).run().says("[N, spatial..., C]"));
  CHECK(Case("GlobalAveragePool").input(counted<float>({1, 0, 3})).run().says("have pixels"));
}

TEST_CASE("GlobalAveragePool sums in 16 partials") {
  // In one chain the ones would be lost behind 2^24.
  std::vector<float> x(32, 1.0f);
  x[0] = 0x1p24f;
  float expected = 0x1p24f + 1;  // partial 0, then the joins: 2 + 2 + ...
  expected = expected + 2;
  expected = expected + 4;
  expected = expected + 8;
  expected = expected + 16;
  CHECK(Case("GlobalAveragePool").input(tensor<float>({1, 32, 1}, x)).run().values()[0] ==
        expected / 32);
}

TEST_CASE("Random pools are what a search over the input gives") {
  const uint64_t seed = 20261124;
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    INFO("seed " << seed << ", round " << round);
    const size_t spatial = random.integer<size_t>(1, 2);
    Ints dims = {random.integer(1, 2)}, kernel, strides, dilations, pads(2 * spatial);
    for (size_t d = 0; d < spatial; ++d) {
      kernel.push_back(random.integer(1, 3));
      strides.push_back(random.integer(1, 3));
      dilations.push_back(random.integer(1, 2));
      const int64_t reach = (kernel[d] - 1) * dilations[d] + 1;
      dims.push_back(random.integer(reach, reach + 5));
      pads[d] = random.integer<int64_t>(0, reach - 1);
      pads[spatial + d] = random.integer<int64_t>(0, reach - 1);
    }
    const int64_t channels = random.integer(1, 3);
    dims.push_back(channels);
    const bool ceil = random.one_in(2);
    const bool include = random.one_in(2);
    const Value x = random_floats(random, dims);
    const auto make = [&](const char* op) {
      Case c = pool(op, x, kernel, strides, pads);
      c.set("dilations", dilations).set("ceil_mode", ceil);
      return c;
    };
    const Result greatest = make("MaxPool").run();
    const Result average = make("AveragePool").set("count_include_pad", include).run();
    INFO(greatest.text << average.text);
    REQUIRE(greatest.status == MDL_OK);
    REQUIRE(average.status == MDL_OK);
    const Ints& out = greatest.dims();
    REQUIRE(out == average.dims());
    const std::vector<float> values = x.as<float>();
    for (int64_t i = 0; i < count_of(out); ++i) {
      // Which of the input's and padding's indices each dimension's window has.
      const int64_t c = i % channels;
      int64_t rest = i / channels;
      int64_t y[2] = {}, counted = 1;
      for (size_t d = spatial; d-- > 0; rest /= out[1 + d]) y[d] = rest % out[1 + d];
      const auto has = [&](size_t d, int64_t index) {
        const int64_t from = index - (y[d] * strides[d] - pads[d]);
        return from >= 0 && from % dilations[d] == 0 && from / dilations[d] < kernel[d];
      };
      for (size_t d = 0; d < spatial; ++d) {
        int64_t n = 0;
        for (int64_t k = -pads[d]; k < dims[1 + d] + pads[spatial + d]; ++k) {
          n += has(d, k) && (include || (k >= 0 && k < dims[1 + d]));
        }
        counted *= n;
      }
      float best = -kInf;
      Exact sum;
      for (int64_t k = 0; k < count_of(dims); ++k) {
        int64_t at = k / channels;
        bool hit = k % channels == c;
        for (size_t d = spatial; d-- > 0; at /= dims[1 + d]) hit = hit && has(d, at % dims[1 + d]);
        if (!hit || at != rest) continue;
        best = std::max(best, values[static_cast<size_t>(k)]);
        sum.add(static_cast<double>(values[static_cast<size_t>(k)]) / static_cast<double>(counted));
      }
      REQUIRE(greatest.values()[static_cast<size_t>(i)] == best);
      REQUIRE(sum.near(average.values()[static_cast<size_t>(i)]));
    }
  }
}

TEST_CASE("Pools say what they refuse") {
  const Value x = counted<float>({1, 4, 4, 2});
  CHECK(pool("MaxPool", x, {2}).run().says("input 0 is [1,4,4,2] and the kernel has 1 dimensions"));
  CHECK(pool("MaxPool", x, {2, 0}).run().says("kernel[1] is 0, should be from 1"));
  CHECK(pool("MaxPool", x, {2, 2}, {}, {2, 0, 0, 0}).run().says("may lie outside the input"));
  CHECK(pool("AveragePool", x, {2, 2}, {}, {1, 0, 1, 0})
            .set("dilations", Ints{5, 1})
            .run()
            .says("may lie outside the input"));
  CHECK(pool("AveragePool", counted<int8_t>({1, 4, 4, 2}), {2, 2}).run().status == MDL_ERROR_DTYPE);
  CHECK(pool("MaxPool", counted<int32_t>({1, 4, 4, 2}), {2, 2}).run().status == MDL_ERROR_DTYPE);
  CHECK(Case("MaxPool").input(x).run().says("'kernel_shape' is missing"));
}

}  // namespace
}  // namespace medulla::test
