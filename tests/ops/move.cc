// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Dims = std::vector<int64_t>;

using Index = std::vector<int64_t>;

// y[i] = x[source(i)] for every index i of a tensor of `dims`; `x` counts its elements.
std::vector<int32_t> mapped(const Dims& from, const Dims& dims,
                            const std::function<Index(const Index&)>& source) {
  std::vector<int32_t> y;
  Index index(dims.size());
  for (int64_t n = 0; n < count_of(dims); ++n) {
    int64_t rest = n;
    for (size_t d = dims.size(); d-- > 0; rest /= dims[d]) index[d] = rest % dims[d];
    const Index s = source(index);
    int64_t offset = 0;
    for (size_t d = 0; d < from.size(); ++d) offset = offset * from[d] + s[d];
    y.push_back(static_cast<int32_t>(offset));
  }
  return y;
}

Dims random_dims(Random& random, size_t min_rank, size_t max_rank, int64_t most) {
  Dims dims(random.integer(min_rank, max_rank));
  for (int64_t& d : dims) d = random.integer(int64_t{1}, most);
  return dims;
}

TEMPLATE_TEST_CASE("Elements of any size are moved", "", uint8_t, uint16_t, float, int64_t) {
  const Value x = counted<TestType>({2, 3});
  const auto values = [](const Result& r) { return r.template values<TestType>(); };
  CHECK(values(Case("Transpose").input(x).run()) == std::vector<TestType>{0, 3, 1, 4, 2, 5});
  CHECK(values(Case("Slice")
                   .input(x)
                   .set("starts", Dims{2})
                   .set("ends", Dims{-4})
                   .set("axes", Dims{1})
                   .set("steps", Dims{-2})
                   .run()) == std::vector<TestType>{2, 0, 5, 3});
  CHECK(values(Case("Concat").input(x).input(counted<TestType>({2, 1})).set("axis", 1).run()) ==
        std::vector<TestType>{0, 1, 2, 0, 3, 4, 5, 1});
  CHECK(values(Case("Expand").input(counted<TestType>({2, 1})).set("shape", Dims{2}).run()) ==
        std::vector<TestType>{0, 0, 1, 1});
  CHECK(values(Case("Tile").input(x).set("repeats", Dims{1, 2}).run()) ==
        std::vector<TestType>{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  CHECK(values(Case("Gather").input(x).input(tensor<int32_t>({2}, {-1, 0})).run()) ==
        std::vector<TestType>{3, 4, 5, 0, 1, 2});
  CHECK(values(Case("Pad").input(x).set("pads", Dims{0, 1, 0, -1}).set("value", 7.0).run()) ==
        std::vector<TestType>{7, 0, 1, 7, 3, 4});
  const Result split =
      Case("Split").input(x).set("axis", -1).set("sizes", Dims{1, 2}).output().output().run();
  CHECK(split.template values<TestType>(0) == std::vector<TestType>{0, 3});
  CHECK(split.template values<TestType>(1) == std::vector<TestType>{1, 2, 4, 5});
}

TEST_CASE("Random transpositions, slices and tiles") {
  const uint64_t seed = 5;
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    INFO("seed " << seed << ", round " << round);
    const Dims x = random_dims(random, 1, 5, 4);
    const size_t rank = x.size();
    Index perm(rank), inverse(rank);
    std::iota(perm.begin(), perm.end(), int64_t{0});
    for (size_t d = rank; d > 1; --d)
      std::swap(perm[d - 1], perm[random.integer(size_t{0}, d - 1)]);
    for (size_t d = 0; d < rank; ++d)
      inverse[static_cast<size_t>(perm[d])] = static_cast<int64_t>(d);
    const Result transposed = Case("Transpose").input(counted<int32_t>(x)).set("perm", perm).run();
    REQUIRE(transposed.values<int32_t>() == mapped(x, transposed.dims(), [&](const Index& i) {
              Index s(rank);
              for (size_t d = 0; d < rank; ++d) s[d] = i[static_cast<size_t>(inverse[d])];
              return s;
            }));

    Index starts, ends, steps, expected, first;
    for (size_t d = 0; d < rank; ++d) {
      starts.push_back(random.integer(-6, 6));
      ends.push_back(random.integer(-6, 6));
      steps.push_back(random.one_in(2) ? random.integer(1, 3) : -random.integer(1, 3));
      // Walks the dimension as the text of ONNX says.
      const int64_t n = x[d], step = steps[d];
      int64_t b = starts[d] < 0 ? starts[d] + n : starts[d];
      int64_t e = ends[d] < 0 ? ends[d] + n : ends[d];
      b = std::max(int64_t{0}, std::min(b, step > 0 ? n : n - 1));
      e = step > 0 ? std::max(int64_t{0}, std::min(e, n))
                   : std::max(int64_t{-1}, std::min(e, n - 1));
      int64_t count = 0;
      for (int64_t i = b; step > 0 ? i < e : i > e; i += step) ++count;
      first.push_back(b);
      expected.push_back(count);
    }
    const Result sliced = Case("Slice")
                              .input(counted<int32_t>(x))
                              .set("starts", starts)
                              .set("ends", ends)
                              .set("steps", steps)
                              .run();
    REQUIRE(sliced.dims() == expected);
    REQUIRE(sliced.values<int32_t>() == mapped(x, expected, [&](const Index& i) {
              Index s(rank);
              for (size_t d = 0; d < rank; ++d) s[d] = first[d] + i[d] * steps[d];
              return s;
            }));

    const Dims repeats = [&] {
      Dims r(rank);
      for (int64_t& v : r) v = random.integer(0, 3);
      return r;
    }();
    const Result tiled = Case("Tile").input(counted<int32_t>(x)).set("repeats", repeats).run();
    REQUIRE(tiled.status == MDL_OK);
    REQUIRE(tiled.values<int32_t>() == mapped(x, tiled.dims(), [&](const Index& i) {
              Index s(rank);
              for (size_t d = 0; d < rank; ++d) s[d] = i[d] % x[d];
              return s;
            }));
  }
}

TEST_CASE("Split is what Concat joins") {
  const uint64_t seed = 6;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    INFO("seed " << seed << ", round " << round);
    const Dims dims = random_dims(random, 1, 4, 6);
    const int64_t axis = random.integer(int64_t{0}, static_cast<int64_t>(dims.size()) - 1);
    const int64_t size = dims[static_cast<size_t>(axis)];
    Dims sizes;
    for (int64_t left = size; left > 0; left -= sizes.back()) {
      sizes.push_back(random.integer(int64_t{0}, left));
    }
    Case split("Split");
    split.input(counted<int16_t>(dims)).set("axis", axis).set("sizes", sizes);
    for (size_t i = 0; i < sizes.size(); ++i) split.output();
    const Result parts = split.run();
    REQUIRE(parts.status == MDL_OK);
    Case concat("Concat");
    concat.set("axis", axis);
    for (const Value& part : parts.outputs) {
      REQUIRE(part.dims[static_cast<size_t>(axis)] ==
              sizes[static_cast<size_t>(&part - parts.outputs.data())]);
      concat.input(part);
    }
    const Result whole = concat.run();
    REQUIRE(whole.dims() == dims);
    REQUIRE(whole.outputs[0].bytes == counted<int16_t>(dims).bytes);
  }
}

TEST_CASE("An output of Split may be left out") {
  const Result r = Case("Split")
                       .input(counted<float>({4}))
                       .set("axis", 0)
                       .set("sizes", Dims{3, 1})
                       .no_output()
                       .output()
                       .run();
  REQUIRE(r.status == MDL_OK);
  CHECK(r.values(1) == std::vector<float>{3});
}

TEST_CASE("Gather along any axis, with indices of any shape") {
  const Value x = counted<int32_t>({2, 3, 2});
  const Result r =
      Case("Gather").input(x).input(tensor<int64_t>({1, 2}, {2, -3})).set("axis", 1).run();
  CHECK(r.dims() == Dims{2, 1, 2, 2});
  CHECK(r.values<int32_t>() == std::vector<int32_t>{4, 5, 0, 1, 10, 11, 6, 7});
  CHECK(Case("Gather").input(x).input(tensor<int32_t>({}, {1})).run().dims() == Dims{3, 2});
  const Result out = Case("Gather").input(x).input(tensor<int64_t>({2}, {0, INT64_MIN})).run();
  CHECK(out.status == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(out.says("index 1 is -9223372036854775808, should be from -2 to 1"));
  CHECK(Case("Gather")
            .input(x)
            .input(counted<float>({2}))
            .run()
            .says("input 1 is float32, should be int32 or int64"));
  CHECK(Case("Gather")
            .input(counted<float>(Dims(8, 1)))
            .input(counted<int32_t>({1, 1}))
            .run()
            .says("rank of 9"));
  CHECK(Case("Gather")
            .input(tensor<float>({}, {1}))
            .input(counted<int32_t>({1}))
            .run()
            .says("axis is 0"));
}

TEST_CASE("Pad fills by each mode") {
  const auto pad = [](const char* mode, Dims pads) {
    return Case("Pad").input(counted<int8_t>({4})).set("pads", pads).set("mode", mode).run();
  };
  using Values = std::vector<int8_t>;
  CHECK(pad("constant", {1, 2}).values<int8_t>() == Values{0, 0, 1, 2, 3, 0, 0});
  CHECK(pad("constant", {-2, 1}).values<int8_t>() == Values{2, 3, 0});
  CHECK(pad("edge", {1, 2}).values<int8_t>() == Values{0, 0, 1, 2, 3, 3, 3});
  CHECK(pad("reflect", {3, 3}).values<int8_t>() == Values{3, 2, 1, 0, 1, 2, 3, 2, 1, 0});
  CHECK(pad("wrap", {6, 5}).values<int8_t>() ==
        Values{2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0});
  CHECK(pad("wrap", {-1, 2}).values<int8_t>() == Values{1, 2, 3, 0, 1});
  CHECK(pad("reflect", {4, 0}).says("pads of dimension 0 are 4 and 0, too many for a size of 4"));
  CHECK(pad("constant", {-3, -2}).status == MDL_ERROR_SHAPE);
  CHECK(pad("constant", {INT64_MIN, INT64_MAX}).status == MDL_ERROR_SHAPE);
  CHECK(pad("constant", {INT64_MAX, 0}).status == MDL_ERROR_SHAPE);
  CHECK(pad("constant", {1}).says("pads has 1 entries, should have 2"));
  CHECK(pad("mirror", {1, 1}).says("mode is 'mirror'"));
}

TEST_CASE("Pad takes values that the dtype has") {
  const auto pad = [](const Value& x, double value) {
    return Case("Pad").input(x).set("pads", Dims{1, 0}).set("value", value).run();
  };
  CHECK(pad(counted<float>({1}), -0.5).values() == std::vector<float>{-0.5f, 0});
  CHECK(pad(counted<uint8_t>({1}), 255).values<uint8_t>() == std::vector<uint8_t>{255, 0});
  CHECK(pad(counted<uint8_t>({1}), -1).says("value is -1, should be a uint8"));
  CHECK(pad(counted<int32_t>({1}), 0.5).says("value is 0.5, should be a int32"));
  Value half = counted<uint16_t>({1});
  half.dtype = MDL_FLOAT16;
  CHECK(pad(half, -2).values<uint16_t>() == std::vector<uint16_t>{0xC000, 0});
}

TEST_CASE("Moving operators say what they refuse") {
  const Value x = counted<float>({2, 3});
  CHECK(Case("Transpose")
            .input(x)
            .set("perm", Dims{0, 0})
            .run()
            .says("perm should hold each of 0 to 1 once"));
  CHECK(Case("Transpose").input(x).set("perm", Dims{0}).run().status == MDL_ERROR_SHAPE);
  CHECK(Case("Concat")
            .input(x)
            .input(counted<float>({3, 3}))
            .set("axis", 1)
            .run()
            .says("input 1 is [3,3], should agree with [2,3] but for axis 1"));
  CHECK(Case("Concat")
            .input(x)
            .input(counted<int32_t>({2, 3}))
            .set("axis", 1)
            .run()
            .says("input 1 is int32, should be float32"));
  CHECK(Case("Concat").input(x).no_input().set("axis", 1).run().says("input 1 is none"));
  CHECK(Case("Concat").input(x).set("axis", 2).run().says("axis is 2, should be from -2 to 1"));
  CHECK(Case("Concat")
            .input(counted<int8_t>({1}).quantized(1, 0))
            .input(counted<int8_t>({1}).quantized(1, 1))
            .output(Value().quantized(1, 0))
            .set("axis", 0)
            .run()
            .says("'x1' and 'y0' differ in quantization"));
  CHECK(Case("Split")
            .input(x)
            .set("axis", 1)
            .set("sizes", Dims{4})
            .run()
            .says("sizes should be 1 sizes whose sum is 3, dimension 1 of [2,3]"));
  CHECK(Case("Split")
            .input(x)
            .set("axis", 1)
            .set("sizes", Dims{4, -1})
            .output()
            .output()
            .run()
            .status == MDL_ERROR_SHAPE);
  CHECK(Case("Slice")
            .input(x)
            .set("starts", Dims{0})
            .set("ends", Dims{1, 1})
            .run()
            .says("have 1, 2, 0 and 0 entries"));
  CHECK(Case("Slice")
            .input(x)
            .set("starts", Dims{0})
            .set("ends", Dims{1})
            .set("steps", Dims{0})
            .run()
            .says("step 0 is 0"));
  CHECK(Case("Expand").input(x).set("shape", Dims{2}).run().says("do not broadcast"));
  CHECK(Case("Expand")
            .input(counted<float>({1}))
            .set("shape", Dims{-1})
            .run()
            .says("no negative dimension"));
  CHECK(Case("Expand")
            .input(counted<float>({1}))
            .set("shape", Dims{0, INT64_MAX, 2})
            .run()
            .says("too large"));
  CHECK(Case("Tile").input(x).set("repeats", Dims{1, INT64_MAX}).run().says("repeats[1] is"));
  CHECK(Case("Tile").input(x).set("repeats", Dims{1}).run().says("should have 2"));
  Value packed;
  packed.dtype = MDL_UINT4;
  packed.dims = {2};
  packed.bytes = {0x21};
  CHECK(Case("Transpose")
            .input(packed)
            .run()
            .says("input 0 is uint4, should have elements of whole bytes"));
}

TEST_CASE("The extremes of Slice") {
  const auto slice = [](int64_t start, int64_t end, int64_t step) {
    return Case("Slice")
        .input(counted<int32_t>({4}))
        .set("starts", Dims{start})
        .set("ends", Dims{end})
        .set("steps", Dims{step})
        .run()
        .values<int32_t>();
  };
  using Values = std::vector<int32_t>;
  CHECK(slice(INT64_MIN, INT64_MAX, 1) == Values{0, 1, 2, 3});
  CHECK(slice(INT64_MAX, INT64_MIN, -1) == Values{3, 2, 1, 0});
  CHECK(slice(INT64_MAX, INT64_MIN, INT64_MIN) == Values{3});
  CHECK(slice(1, INT64_MAX, INT64_MAX) == Values{1});
  CHECK(slice(3, 1, 1).empty());
}

}  // namespace
}  // namespace medulla::test
