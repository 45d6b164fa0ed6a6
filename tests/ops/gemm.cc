// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/ops/bound.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

TEST_CASE("Gemm with either side transposed") {
  const Value a = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Value at = tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6});
  const Value b = tensor<float>({3, 2}, {1, 10, 2, 20, 3, 30});
  const Value bt = tensor<float>({2, 3}, {1, 2, 3, 10, 20, 30});
  const std::vector<float> y = {14, 140, 32, 320};
  CHECK(Case("Gemm").input(a).input(b).run().values() == y);
  CHECK(Case("Gemm").input(at).input(b).set("transA", 1).run().values() == y);
  CHECK(Case("Gemm").input(a).input(bt).set("transB", 1).run().values() == y);
  CHECK(Case("Gemm").input(at).input(bt).set("transA", 1).set("transB", 1).run().values() == y);
}

TEST_CASE("Gemm's bias broadcasts, and alpha and beta scale") {
  const Value a = tensor<float>({2, 1}, {1, 2});
  const Value b = tensor<float>({1, 2}, {3, 5});
  const auto with = [&](Value bias) { return Case("Gemm").input(a).input(b).input(bias); };
  CHECK(with(tensor<float>({2}, {10, 20})).run().values() == std::vector<float>{13, 25, 16, 30});
  CHECK(with(tensor<float>({2, 1}, {10, 20})).run().values() == std::vector<float>{13, 15, 26, 30});
  CHECK(with(tensor<float>({}, {7})).run().values() == std::vector<float>{10, 12, 13, 17});
  CHECK(with(tensor<float>({2}, {10, 20})).set("alpha", 2.0).set("beta", 0.5).run().values() ==
        std::vector<float>{11, 20, 17, 30});
  CHECK(Case("Gemm").input(a).input(b).set("alpha", 0.5).run().values() ==
        std::vector<float>{1.5f, 2.5f, 3, 5});
}

TEST_CASE("Gemm says what it refuses") {
  const Value a = counted<float>({2, 3});
  CHECK(Case("Gemm").input(a).input(counted<float>({2, 4})).run().text ==
        "node 'n' (Gemm): inputs are [2,3] and [2,4], should be [M,K] and [K,N]");
  CHECK(Case("Gemm").input(a).input(counted<float>({3, 4, 1})).run().status == MDL_ERROR_SHAPE);
  const Value b = counted<float>({3, 4});
  CHECK(Case("Gemm").input(a).input(b).input(counted<float>({3})).run().status == MDL_ERROR_SHAPE);
  CHECK(Case("Gemm").input(a).input(b).input(counted<float>({5, 2, 4})).run().status ==
        MDL_ERROR_SHAPE);
  CHECK(Case("Gemm").input(a).input(b).set("alpha", 0.1).run().says("alpha"));
}

TEST_CASE("MatMul broadcasts stacks and drops the 1 of vectors") {
  const Value row = tensor<float>({2}, {1, 2});
  const Value matrix = tensor<float>({2, 3}, {1, 2, 3, 10, 20, 30});
  Result r = Case("MatMul").input(row).input(matrix).run();
  CHECK(r.dims() == std::vector<int64_t>{3});
  CHECK(r.values() == std::vector<float>{21, 42, 63});
  r = Case("MatMul").input(row).input(row).run();
  CHECK(r.dims().empty());
  CHECK(r.values() == std::vector<float>{5});
  r = Case("MatMul").input(counted<float>({2, 1, 1, 2})).input(counted<float>({3, 2, 1})).run();
  CHECK(r.dims() == std::vector<int64_t>{2, 3, 1, 1});
  CHECK(r.values() == std::vector<float>{1, 3, 5, 3, 13, 23});
  r = Case("MatMul").input(counted<float>({3, 0})).input(counted<float>({0, 2})).run();
  CHECK(r.values() == std::vector<float>(6, 0.0f));
  CHECK(Case("MatMul").input(matrix).input(matrix).run().says("[2,3] and [2,3], should be"));
  CHECK(Case("MatMul").input(row).input(tensor<float>({}, {1})).run().status == MDL_ERROR_SHAPE);
}

TEST_CASE("Random products are near those in binary64") {
  const uint64_t seed = 20261123;
  Random random(seed);
  for (int round = 0; round < 50; ++round) {
    INFO("seed " << seed << ", round " << round);
    const int64_t m = random.integer(1, 5);
    const int64_t n = random.integer(1, 5);
    const int64_t k = random.integer(1, 300);
    const Value a = random_floats(random, {m, k});
    const Value b = random_floats(random, {k, n});
    const Value bias = random_floats(random, {n});
    const std::vector<float> as = a.as<float>(), bs = b.as<float>(), cs = bias.as<float>();
    const std::vector<float> gemm = Case("Gemm").input(a).input(b).input(bias).run().values();
    const std::vector<float> matmul = Case("MatMul").input(a).input(b).run().values();
    for (int64_t i = 0; i < m * n; ++i) {
      Exact sum;
      for (int64_t j = 0; j < k; ++j) {
        sum.add(static_cast<double>(as[static_cast<size_t>(i / n * k + j)]) *
                static_cast<double>(bs[static_cast<size_t>(j * n + i % n)]));
      }
      REQUIRE(sum.near(matmul[static_cast<size_t>(i)]));
      sum.add(static_cast<double>(cs[static_cast<size_t>(i % n)]));
      REQUIRE(sum.near(gemm[static_cast<size_t>(i)]));
    }
  }
}

}  // namespace
}  // namespace medulla::test
