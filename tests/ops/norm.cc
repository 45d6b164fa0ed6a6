// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

// In binary64: (x - mean) / sqrt(variance + epsilon) of the values at `members`.
struct Exact {
  double mean = 0;
  double deviation = 0;

  Exact(const Floats& x, const std::vector<size_t>& members, double epsilon, bool centered = true) {
    const auto n = static_cast<double>(members.size());
    for (const size_t i : members) mean += static_cast<double>(x[i]) / n;
    if (!centered) mean = 0;
    double variance = 0;
    for (const size_t i : members) variance += std::pow(static_cast<double>(x[i]) - mean, 2) / n;
    deviation = std::sqrt(variance + epsilon);
  }
  double normal(float x) const { return (static_cast<double>(x) - mean) / deviation; }
};

TEST_CASE("LayerNormalization and RMSNormalization of random rows") {
  const uint64_t seed = 31;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const int64_t rows = random.integer(int64_t{1}, int64_t{4});
    const Ints row = {random.integer(int64_t{1}, int64_t{3}),
                      random.integer(int64_t{1}, int64_t{9})};
    const auto count = static_cast<size_t>(count_of(row));
    INFO("seed " << seed << ", round " << round << ", " << rows << " rows of " << count);
    const Value x = random_floats(random, {rows, row[0], row[1]}, -3, 5);
    const Value scale = random_floats(random, row), bias = random_floats(random, row);
    const Result layer = Case("LayerNormalization")
                             .input(x)
                             .input(scale)
                             .input(bias)
                             .output()
                             .output()
                             .output()
                             .set("axis", 1)
                             .set("epsilon", 0.125)
                             .run();
    const Result rms =
        Case("RMSNormalization").input(x).input(scale).set("axis", -2).set("epsilon", 0.125).run();
    REQUIRE(layer.dims(1) == Ints{rows, 1, 1});
    const Floats values = x.as<float>(), s = scale.as<float>(), b = bias.as<float>();
    for (size_t r = 0; r < static_cast<size_t>(rows); ++r) {
      std::vector<size_t> members(count);
      std::iota(members.begin(), members.end(), r * count);
      const Exact exact(values, members, 0.125), root(values, members, 0.125, false);
      REQUIRE(layer.values(1)[r] == Approx(exact.mean).margin(1e-5));
      REQUIRE(layer.values(2)[r] == Approx(1 / exact.deviation));
      for (size_t i = 0; i < count; ++i) {
        const auto g = static_cast<double>(s[i]);
        const float v = values[r * count + i];
        REQUIRE(layer.values()[r * count + i] ==
                Approx(exact.normal(v) * g + static_cast<double>(b[i])).margin(1e-5));
        REQUIRE(rms.values()[r * count + i] == Approx(root.normal(v) * g).margin(1e-5));
      }
    }
  }
}

TEST_CASE("LayerNormalization takes its sums as rows") {
  // One chain would stay at 2^24; partial 0 loses a 1 alone.
  Floats x(16, 1);
  x[0] = 0x1p24f;
  const Result r = Case("LayerNormalization")
                       .input(tensor<float>({16}, x))
                       .input(tensor<float>({16}, Floats(16, 1)))
                       .output()
                       .output()
                       .run();
  CHECK(r.values(1)[0] == (0x1p24f + 14) / 16);
}

TEST_CASE("GroupNormalization of random pictures") {
  const uint64_t seed = 32;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const auto groups = random.integer(size_t{1}, size_t{3}),
               size = random.integer(size_t{1}, size_t{3});
    const auto pixels = random.integer(size_t{1}, size_t{20});
    const size_t channels = groups * size;
    const auto c = static_cast<int64_t>(channels);
    INFO("seed " << seed << ", round " << round << ", " << groups << " groups of " << size);
    const Value x = random_floats(random, {2, static_cast<int64_t>(pixels), c}, -3, 5);
    const Value scale = random_floats(random, {c}), bias = random_floats(random, {c});
    const Result y = Case("GroupNormalization")
                         .input(x)
                         .input(scale)
                         .input(bias)
                         .set("num_groups", groups)
                         .set("epsilon", 0.125)
                         .run();
    REQUIRE(y.status == MDL_OK);
    const Floats values = x.as<float>(), s = scale.as<float>(), b = bias.as<float>();
    for (size_t n = 0; n < 2; ++n) {
      for (size_t g = 0; g < groups; ++g) {
        std::vector<size_t> members;
        for (size_t i = 0; i < pixels * channels; ++i) {
          if (i % channels / size == g) members.push_back(n * pixels * channels + i);
        }
        const Exact exact(values, members, 0.125);
        for (const size_t i : members) {
          const size_t at = i % channels;
          REQUIRE(y.values()[i] == Approx(exact.normal(values[i]) * static_cast<double>(s[at]) +
                                          static_cast<double>(b[at]))
                                       .margin(1e-5));
        }
      }
    }
  }
}

TEST_CASE("Normalizations say what they refuse") {
  const auto layer = [](const Ints& scale, int64_t axis, double epsilon = 1e-5) {
    return Case("LayerNormalization")
        .input(counted<float>({2, 3, 4}))
        .input(counted<float>(scale))
        .set("axis", axis)
        .set("epsilon", epsilon)
        .run();
  };
  CHECK(layer({3, 4}, 1, 0.5).status == MDL_OK);
  CHECK(layer({4}, 1, 0.5).says("input 1 is [4], should be the dimensions of [2,3,4] from 1 on"));
  CHECK(layer({4}, 3, 0.5).says("axis is 3"));
  CHECK(layer({4}, -1, 0.1).says("epsilon is 0.1, should be a float32"));
  const auto group = [](int64_t groups, const Ints& scale) {
    return Case("GroupNormalization")
        .input(counted<float>({1, 2, 4}))
        .input(counted<float>(scale))
        .input(counted<float>({4}))
        .set("num_groups", groups)
        .run();
  };
  CHECK(group(4, {4}).status == MDL_OK);
  CHECK(group(3, {4}).says("num_groups is 3, should be a divisor of the 4 channels"));
  CHECK(group(0, {4}).says("num_groups is 0"));
  CHECK(group(2, {2}).says("input 1 is [2], should be [4]"));
}

}  // namespace
}  // namespace medulla::test
