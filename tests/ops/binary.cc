// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <class T>
Result binary(const char* op, const std::vector<T>& a, const std::vector<T>& b) {
  const int64_t n = static_cast<int64_t>(a.size());
  return Case(op).input(tensor<T>({n}, a)).input(tensor<T>({n}, b)).run();
}

TEST_CASE("Add, Sub, Mul and Div of floats") {
  const std::vector<float> a = {1, -2, 0.1f, 1e38f};
  const std::vector<float> b = {3, 0.5f, 0.2f, 3e38f};
  CHECK(binary("Add", a, b).values() == std::vector<float>{4, -1.5f, 0.1f + 0.2f, kInf});
  CHECK(binary("Sub", a, b).values() == std::vector<float>{-2, -2.5f, 0.1f - 0.2f, 1e38f - 3e38f});
  CHECK(binary("Mul", a, b).values() == std::vector<float>{3, -1, 0.1f * 0.2f, kInf});
  CHECK(binary("Div", a, b).values() == std::vector<float>{1.0f / 3, -4, 0.5f, 1e38f / 3e38f});
}

TEMPLATE_TEST_CASE("Integer arithmetic wraps, and division is total", "", int32_t, int64_t) {
  using Limits = std::numeric_limits<TestType>;
  using Values = std::vector<TestType>;
  constexpr TestType kMin = Limits::min();
  constexpr TestType kMax = Limits::max();
  CHECK(binary<TestType>("Add", {kMax, 2}, {1, -3}).template values<TestType>() ==
        Values{kMin, -1});
  CHECK(binary<TestType>("Sub", {kMin, 2}, {1, -3}).template values<TestType>() == Values{kMax, 5});
  CHECK(binary<TestType>("Mul", {kMax, 2}, {2, -3}).template values<TestType>() == Values{-2, -6});
  CHECK(
      binary<TestType>("Div", {kMin, 7, -7, 7, 0}, {-1, 2, 2, 0, 0}).template values<TestType>() ==
      Values{kMin, 3, -3, 0, 0});
  CHECK(binary<TestType>("Min", {kMin, 7}, {-1, 2}).template values<TestType>() == Values{kMin, 2});
  CHECK(binary<TestType>("Max", {kMin, 7}, {-1, 2}).template values<TestType>() == Values{-1, 7});
}

TEST_CASE("Min and Max keep NaN, and give b when equal") {
  const std::vector<float> a = {1, kNan, 1, -0.0f, 0.0f, kInf};
  const std::vector<float> b = {2, 1, kNan, 0.0f, -0.0f, -kInf};
  CHECK(difference<float>(binary("Min", a, b).values(),
                          std::vector<float>{1, kNan, kNan, 0.0f, -0.0f, -kInf}) == "");
  CHECK(difference<float>(binary("Max", a, b).values(),
                          std::vector<float>{2, kNan, kNan, 0.0f, -0.0f, kInf}) == "");
}

TEST_CASE("Shapes broadcast as numpy's do") {
  const Result r = Case("Sub").input(counted<float>({2, 1, 3})).input(counted<float>({2, 1})).run();
  REQUIRE(r.dims() == std::vector<int64_t>{2, 2, 3});
  CHECK(r.values() == std::vector<float>{0, 1, 2, -1, 0, 1, 3, 4, 5, 2, 3, 4});
  CHECK(Case("Mul").input(tensor<float>({}, {2})).input(tensor<float>({}, {3})).run().values() ==
        std::vector<float>{6});
  const Result empty =
      Case("Add").input(counted<int32_t>({0, 3})).input(counted<int32_t>({1})).run();
  CHECK(empty.status == MDL_OK);
  CHECK(empty.dims() == std::vector<int64_t>{0, 3});
}

TEST_CASE("Random shapes broadcast as naive indexing does") {
  const uint64_t seed = 20261121;
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    const uint32_t rank = random.integer(0u, 4u);
    std::vector<int64_t> out(rank);
    for (int64_t& d : out) d = random.integer(1, 4);
    const auto narrow = [&] {
      std::vector<int64_t> dims = out;
      for (int64_t& d : dims) d = random.one_in(3) ? 1 : d;
      const auto skip = static_cast<std::ptrdiff_t>(random.integer(0u, rank));
      if (random.one_in(3)) dims.erase(dims.begin(), dims.begin() + skip);
      return dims;
    };
    const Value a = random_floats(random, narrow());
    const Value b = random_floats(random, narrow());
    const Result r = Case("Add").input(a).input(b).run();
    INFO("seed " << seed << ", round " << round);
    REQUIRE(r.status == MDL_OK);
    const std::vector<int64_t>& dims = r.dims();
    const std::vector<float> y = r.values();
    for (size_t i = 0; i < y.size(); ++i) {
      const auto at = [&](const Value& v) {
        size_t rest = i, offset = 0, stride = 1;
        for (size_t d = dims.size(); d-- > 0;) {
          const size_t index = rest % static_cast<size_t>(dims[d]);
          rest /= static_cast<size_t>(dims[d]);
          const size_t behind = dims.size() - d;
          if (behind > v.dims.size()) continue;
          const auto n = static_cast<size_t>(v.dims[v.dims.size() - behind]);
          offset += (n == 1 ? 0 : index) * stride;
          stride *= n;
        }
        return v.as<float>()[offset];
      };
      REQUIRE(y[i] == at(a) + at(b));
    }
  }
}

TEST_CASE("Binary operators say what they refuse") {
  const Value f = counted<float>({2, 3});
  Result r = Case("Add").input(f).input(counted<float>({2})).run();
  CHECK(r.status == MDL_ERROR_SHAPE);
  CHECK(r.text == "node 'n' (Add): shapes [2,3] and [2] do not broadcast: 3 against 2");
  r = Case("Add").input(f).input(counted<int32_t>({3})).run();
  CHECK(r.status == MDL_ERROR_DTYPE);
  CHECK(r.text == "node 'n' (Add): input 1 is int32, should be float32");
  r = Case("BitShift")
          .input(counted<float>({3}))
          .input(counted<float>({3}))
          .set("direction", "LEFT")
          .run();
  CHECK(r.says("input 0 is float32, should be int8, uint8, int16"));
  r = Case("Max").input(f).run();
  CHECK(r.says("has 1 inputs, should have 2 to 2"));
}

}  // namespace
}  // namespace medulla::test
