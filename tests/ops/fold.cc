// SPDX-License-Identifier: Apache-2.0
// Reductions of every dtype, and what else folds values along an axis.
#include <cmath>
#include <limits>

#include "src/ops/number.h"
#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Dims = std::vector<int64_t>;
using Indices = std::vector<int64_t>;

constexpr mdl_dtype kDtypes[] = {MDL_INT8,    MDL_INT16,    MDL_INT32,   MDL_INT64,
                                 MDL_UINT8,   MDL_UINT16,   MDL_UINT32,  MDL_UINT64,
                                 MDL_FLOAT16, MDL_BFLOAT16, MDL_FLOAT32, MDL_FLOAT64};

// `x` in another dtype.
Value in(mdl_dtype dtype, const Value& x) {
  return Case("Cast").input(x).set("to", static_cast<int>(dtype)).run().outputs[0];
}

TEST_CASE("Reductions of every dtype") {
  const Value x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 9});
  for (const mdl_dtype dtype : kDtypes) {
    const auto reduced = [&](const char* op) {
      const Result r = Case(op).input(in(dtype, x)).set("axes", Dims{1}).run();
      INFO(op << ' ' << mdl_dtype_name(dtype) << ": " << r.text);
      REQUIRE(r.status == MDL_OK);
      CHECK(r.outputs[0].dtype == dtype);
      CHECK(r.dims() == Dims{2, 1});
      return in(MDL_FLOAT32, r.outputs[0]).as<float>();
    };
    CHECK(reduced("ReduceSum") == std::vector<float>{6, 18});
    CHECK(reduced("ReduceMean") == std::vector<float>{2, 6});
    CHECK(reduced("ReduceMax") == std::vector<float>{3, 9});
    CHECK(reduced("ReduceMin") == std::vector<float>{1, 4});
    if (mdl_dtype_bits(dtype) > 8) CHECK(reduced("ReduceProd")[1] == Approx(180));
  }
  const Value bytes = tensor<int8_t>({2}, {100, 100});
  CHECK(Case("ReduceSum").input(bytes).run().values<int8_t>() == std::vector<int8_t>{-56});
  CHECK(Case("ReduceMax").input(in(MDL_BOOL, tensor<float>({2}, {0, 1}))).run().values<uint8_t>() ==
        std::vector<uint8_t>{1});
}

TEST_CASE("Reductions of nothing, of every dtype") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Value x = counted<float>({0});
  CHECK(Case("ReduceMax").input(x).run().values() == std::vector<float>{-kInf});
  CHECK(Case("ReduceMin").input(x).run().values() == std::vector<float>{kInf});
  CHECK(Case("ReduceProd").input(x).run().values() == std::vector<float>{1});
  CHECK(Case("ReduceMax").input(in(MDL_INT8, x)).run().values<int8_t>() ==
        std::vector<int8_t>{-128});
  CHECK(Case("ReduceMin").input(in(MDL_UINT8, x)).run().values<uint8_t>() ==
        std::vector<uint8_t>{255});
  CHECK(Case("ReduceMean").input(in(MDL_INT8, x)).run().values<int8_t>() == std::vector<int8_t>{0});
}

TEST_CASE("Indices of extremes: the first, or the last") {
  const Value x = tensor<float>({2, 4}, {1, 3, 3, 0, 5, -2, 5, -2});
  const auto at = [&](const char* op, int64_t axis, int last, mdl_dtype dtype = MDL_FLOAT32) {
    return Case(op)
        .input(in(dtype, x))
        .set("axis", axis)
        .set("select_last_index", last)
        .run()
        .values<int64_t>();
  };
  CHECK(at("ArgMax", 1, 0) == Indices{1, 0});
  CHECK(at("ArgMax", -1, 1) == Indices{2, 2});
  CHECK(at("ArgMin", 1, 0) == Indices{3, 1});
  CHECK(at("ArgMin", 1, 1, MDL_INT8) == Indices{3, 3});
  CHECK(at("ArgMax", 0, 0, MDL_FLOAT64) == Indices{1, 0, 1, 0});
  CHECK(Case("ArgMax").input(x).set("axis", 1).set("keepdims", 0).run().dims() == Dims{2});
  const float nan = std::nanf("");
  CHECK(Case("ArgMax").input(tensor<float>({4}, {1, nan, 3, nan})).run().values<int64_t>() ==
        Indices{1});
  CHECK(Case("ArgMin")
            .input(tensor<float>({4}, {1, nan, 3, nan}))
            .set("select_last_index", 1)
            .run()
            .values<int64_t>() == Indices{3});
  CHECK(Case("ArgMax")
            .input(counted<float>({2, 0}))
            .set("axis", 1)
            .run()
            .says("should have an element along axis 1"));
}

TEST_CASE("Products of matrices of every dtype") {
  const Value a = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Value b = tensor<float>({3, 2}, {1, 0, 2, 1, 0, 3});
  for (const mdl_dtype dtype : kDtypes) {
    const Result r = Case("MatMul").input(in(dtype, a)).input(in(dtype, b)).run();
    INFO(mdl_dtype_name(dtype) << ": " << r.text);
    REQUIRE(r.status == MDL_OK);
    CHECK(in(MDL_FLOAT32, r.outputs[0]).as<float>() == std::vector<float>{5, 11, 14, 23});
  }
  const Value big = tensor<int32_t>({1, 1}, {1 << 30});
  CHECK(Case("MatMul").input(big).input(tensor<int32_t>({1, 1}, {4})).run().values<int32_t>() ==
        std::vector<int32_t>{0});
  CHECK(Case("MatMul")
            .input(a)
            .input(in(MDL_INT8, b))
            .run()
            .says("input 1 is int8, should be float32"));
}

TEST_CASE("Running sums") {
  const Value x = tensor<double>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto sums = [&](int64_t axis, int exclusive, int reverse) {
    return Case("CumSum")
        .input(x)
        .set("axis", axis)
        .set("exclusive", exclusive)
        .set("reverse", reverse)
        .run()
        .values<double>();
  };
  using Doubles = std::vector<double>;
  CHECK(sums(0, 0, 0) == Doubles{1, 2, 3, 5, 7, 9});
  CHECK(sums(1, 0, 0) == Doubles{1, 3, 6, 4, 9, 15});
  CHECK(sums(-1, 1, 0) == Doubles{0, 1, 3, 0, 4, 9});
  CHECK(sums(1, 0, 1) == Doubles{6, 5, 3, 15, 11, 6});
  CHECK(sums(1, 1, 1) == Doubles{5, 3, 0, 11, 6, 0});
  CHECK(
      Case("CumSum").input(tensor<int8_t>({2}, {100, 100})).set("axis", 0).run().values<int8_t>() ==
      std::vector<int8_t>{100, -56});
  CHECK(Case("CumSum").input(x).set("axis", 2).run().says("axis is 2, should be from -2 to 1"));
}

TEST_CASE("Running products") {
  const auto products = [](int exclusive, int reverse) {
    return Case("CumProd")
        .input(tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}))
        .set("axis", 1)
        .set("exclusive", exclusive)
        .set("reverse", reverse)
        .run()
        .values();
  };
  using Floats = std::vector<float>;
  CHECK(products(0, 0) == Floats{1, 2, 6, 4, 20, 120});
  CHECK(products(1, 0) == Floats{1, 1, 2, 1, 4, 20});
  CHECK(products(1, 1) == Floats{6, 3, 1, 30, 6, 1});
  CHECK(
      Case("CumProd").input(tensor<int8_t>({2}, {16, 16})).set("axis", 0).run().values<int8_t>() ==
      std::vector<int8_t>{16, 0});
}

TEST_CASE("Determinants") {
  CHECK(Case("Det").input(tensor<float>({2, 2}, {0, 1, 2, 3})).run().values() ==
        std::vector<float>{-2});
  const Result r =
      Case("Det").input(tensor<float>({3, 2, 2}, {1, 2, 3, 4, 1, 2, 2, 1, 1, 3, 3, 1})).run();
  CHECK(r.values() == std::vector<float>{-2, -3, -8});
  CHECK(Case("Det")
            .input(tensor<double>({3, 3}, {2, 0, 0, 0, 0, 3, 0, 5, 0}))
            .run()
            .values<double>() == std::vector<double>{-30});
  CHECK(Case("Det").input(counted<float>({3, 3})).run().values()[0] == Approx(0).margin(1e-6));
  CHECK(Case("Det").input(counted<float>({0, 0})).run().values() == std::vector<float>{1});
  CHECK(Case("Det").input(counted<float>({2, 3})).run().says("should be [..., N, N]"));
}

TEST_CASE("Triangles") {
  const Value x = counted<int64_t>({3, 4});
  const auto run = [&](int upper, int64_t k) {
    return Case("Trilu").input(x).set("upper", upper).set("k", k).run().values<int64_t>();
  };
  CHECK(run(1, 0) == Indices{0, 1, 2, 3, 0, 5, 6, 7, 0, 0, 10, 11});
  CHECK(run(0, 0) == Indices{0, 0, 0, 0, 4, 5, 0, 0, 8, 9, 10, 0});
  CHECK(run(1, 2) == Indices{0, 0, 2, 3, 0, 0, 0, 7, 0, 0, 0, 0});
  CHECK(run(0, -1) == Indices{0, 0, 0, 0, 4, 0, 0, 0, 8, 9, 0, 0});
  CHECK(run(1, INT64_MIN) == x.as<int64_t>());
  CHECK(run(0, INT64_MAX) == x.as<int64_t>());
  CHECK(Case("Trilu").input(counted<float>({3})).run().says("should have rank 2 or more"));
}

}  // namespace
}  // namespace medulla::test
