// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/bound.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;

TEST_CASE("Reductions over some axes, or all") {
  const Value x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 9});
  const auto run = [&](const char* op, const Ints& axes, int keep) {
    return Case(op).input(x).set("axes", axes).set("keepdims", keep).run();
  };
  Result r = run("ReduceSum", {0}, 1);
  CHECK(r.dims() == Ints{1, 3});
  CHECK(r.values() == std::vector<float>{5, 7, 12});
  r = run("ReduceMean", {-1}, 0);
  CHECK(r.dims() == Ints{2});
  CHECK(r.values() == std::vector<float>{2, 6});
  r = Case("ReduceMean").input(x).run();
  CHECK(r.dims() == Ints{1, 1});
  CHECK(r.values() == std::vector<float>{4});
  CHECK(run("ReduceSum", {0, 1}, 0).dims().empty());
  CHECK(run("ReduceSum", {2}, 0).says("axis is 2, should be from -2 to 1"));
  CHECK(run("ReduceSum", {0, -2}, 0).says("stands twice"));
}

TEST_CASE("Reductions of nothing") {
  Value bools = counted<uint8_t>({0, 1});
  bools.dtype = MDL_BOOL;
  const auto fold = [&](const char* op) {
    return Case(op).input(bools).set("axes", std::vector<int64_t>{0}).run().values<uint8_t>();
  };
  CHECK(fold("ReduceMax") == std::vector<uint8_t>{0});
  CHECK(fold("ReduceMin") == std::vector<uint8_t>{1});
  const Value x = counted<float>({2, 0});
  CHECK(Case("ReduceSum").input(x).set("axes", Ints{1}).run().values() == std::vector<float>{0, 0});
  CHECK(std::isnan(Case("ReduceMean").input(x).run().values()[0]));
}

TEST_CASE("Sums over a row have 16 partials") {
  const uint64_t seed = 20261126;
  Random random(seed);
  for (const int64_t n : {1, 15, 16, 17, 40, 333}) {
    INFO("seed " << seed << ", n " << n);
    const Value x = random_floats(random, {2, n, 3});
    const std::vector<float> values = x.as<float>();
    const std::vector<float> sums =
        Case("ReduceSum").input(x).set("axes", Ints{1, 2}).run().values();
    for (size_t row = 0; row < 2; ++row) {
      const size_t length = static_cast<size_t>(3 * n);
      const float* v = values.data() + row * length;
      float p[16] = {};
      Exact exact;
      for (size_t i = 0; i < length; ++i) {
        p[i % 16] += v[i];
        exact.add(static_cast<double>(v[i]));
      }
      for (size_t i = 0; i < 8; ++i) p[i] += p[i + 8];
      REQUIRE(sums[row] == ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7])));
      REQUIRE(exact.near(sums[row]));
    }
  }
}

TEST_CASE("BatchNormalization by hand") {
  const auto constant = [](float a, float b) { return tensor<float>({2}, {a, b}); };
  const Value x = tensor<float>({1, 2, 2}, {1, 2, 3, 4});
  const auto node = [&](const Value& var) {
    return Case("BatchNormalization")
        .input(x)
        .input(constant(2, 3))
        .input(constant(10, -1))
        .input(constant(1, 2))
        .input(var)
        .set("epsilon", 0.25)
        .run();
  };
  // k = 2 / 0.5 and 3 / 1
  CHECK(node(constant(0, 0.75f)).values() == std::vector<float>{10, -1, 18, 5});
  CHECK(node(counted<float>({3})).says("input 4 is [3], should be [2]"));
}

}  // namespace
}  // namespace medulla::test
