// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST_CASE("Softmax of equal, large and infinite values") {
  const auto softmax = [](const std::vector<float>& x) {
    return Case("Softmax").input(tensor<float>({static_cast<int64_t>(x.size())}, x)).run().values();
  };
  CHECK(softmax({7, 7, 7, 7}) == std::vector<float>(4, 0.25f));
  CHECK(softmax({1e30f, 1e30f, 0}) == std::vector<float>{0.5f, 0.5f, 0});
  CHECK(softmax({-kInf, 3}) == std::vector<float>{0, 1});
  for (const float y : softmax({1, kNan, 2})) CHECK(std::isnan(y));
}

TEST_CASE("Softmax and LogSoftmax along any axis are near the C library's") {
  const uint64_t seed = 20261127;
  Random random(seed);
  for (int round = 0; round < 50; ++round) {
    INFO("seed " << seed << ", round " << round);
    const Ints dims = {random.integer(1, 3), random.integer(1, 40), random.integer(1, 3)};
    const int64_t axis = random.integer(-3, 2);
    const size_t d = static_cast<size_t>(axis < 0 ? axis + 3 : axis);
    const Value x = random_floats(random, dims, -20, 20);
    const std::vector<float> xs = x.as<float>();
    const std::vector<float> y = Case("Softmax").input(x).set("axis", axis).run().values();
    const std::vector<float> log = Case("LogSoftmax").input(x).set("axis", axis).run().values();
    size_t inner = 1;
    for (size_t e = d + 1; e < 3; ++e) inner *= static_cast<size_t>(dims[e]);
    const size_t length = static_cast<size_t>(dims[d]);
    for (size_t i = 0; i < xs.size(); ++i) {
      const size_t first = i / (inner * length) * inner * length + i % inner;
      double greatest = -1e9, sum = 0;
      for (size_t k = 0; k < length; ++k) {
        greatest = std::fmax(greatest, static_cast<double>(xs[first + k * inner]));
      }
      for (size_t k = 0; k < length; ++k) {
        sum += std::exp(static_cast<double>(xs[first + k * inner]) - greatest);
      }
      const double shifted = static_cast<double>(xs[i]) - greatest;
      // The difference x - m alone is off by up to 2^-19 of 40.
      REQUIRE(static_cast<double>(y[i]) == Approx(std::exp(shifted) / sum).epsilon(1e-5));
      REQUIRE(static_cast<double>(log[i]) ==
              Approx(shifted - std::log(sum)).epsilon(1e-6).margin(1e-6));
    }
  }
}

TEST_CASE("Softmax says what it refuses") {
  CHECK(Case("Softmax").input(tensor<float>({}, {1})).run().status == MDL_ERROR_SHAPE);
  CHECK(Case("Softmax").input(counted<float>({2})).set("axis", 1).run().says("axis is 1"));
  CHECK(Case("Softmax").input(counted<int8_t>({2})).run().status == MDL_ERROR_DTYPE);
}

TEST_CASE("LRN over the channels around") {
  const Result r = Case("LRN")
                       .input(tensor<float>({1, 1, 4}, {1, 2, 3, 4}))
                       .set("size", 2)
                       .set("alpha", 2.0)
                       .set("beta", 0.5)
                       .set("bias", 1.0)
                       .run();
  // An even size reaches one further up: 1 + 1 + 4, 1 + 4 + 9, 1 + 9 + 16, 1 + 16.
  const std::vector<float> y = r.values();
  const double squares[] = {6, 14, 26, 17};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(static_cast<double>(y[i]) ==
          Approx(static_cast<double>(i + 1) / std::sqrt(squares[i])).epsilon(1e-6));
  }
  CHECK(Case("LRN").input(counted<float>({1, 2})).set("size", 0).run().says("size is 0"));
}

TEST_CASE("ReduceMax and ReduceMin keep NaN") {
  const Value x = tensor<float>({2, 3}, {1, 5, 3, kNan, -1, 2});
  const auto run = [&](const char* op) {
    return Case(op).input(x).set("axes", Ints{1}).set("keepdims", 0).run().values();
  };
  CHECK(difference<float>(run("ReduceMax"), std::vector<float>{5, kNan}) == "");
  CHECK(difference<float>(run("ReduceMin"), std::vector<float>{1, kNan}) == "");
  const Value none = counted<float>({0});
  CHECK(Case("ReduceMax").input(none).run().values() == std::vector<float>{-kInf});
  CHECK(Case("ReduceMin").input(none).run().values() == std::vector<float>{kInf});
}

}  // namespace
}  // namespace medulla::test
