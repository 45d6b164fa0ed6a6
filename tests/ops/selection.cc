// SPDX-License-Identifier: Apache-2.0
// Operators whose values say which elements there are behind them.
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Dims = std::vector<int64_t>;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Value bools(Dims dims, const std::vector<uint8_t>& values) {
  Value value = tensor(std::move(dims), values);
  value.dtype = MDL_BOOL;
  return value;
}

}  // namespace

TEST_CASE("NonZero lists indices in order", "[non_zero]") {
  Result r = Case("NonZero").input(bools({2, 2}, {1, 0, 1, 1})).run();
  CHECK(r.dims() == Dims{2, 3});
  CHECK(r.values<int64_t>() == Ints{0, 1, 1, 0, 0, 1});
  r = Case("NonZero").input(tensor<float>({4}, {0, -0.0f, kNaN, 1e-30f})).run();
  CHECK(r.values<int64_t>() == Ints{2, 3});
  r = Case("NonZero").input(tensor<int32_t>({2, 3}, {0, 0, 0, 0, 0, 0})).run();
  CHECK(r.dims() == Dims{2, 0});
  CHECK(Case("NonZero").input(tensor<float>({}, {1})).run().says("should have dimensions"));
}

TEST_CASE("Compress keeps what the condition names", "[compress]") {
  const Value x = counted<float>({3, 2});
  Result r = Case("Compress").input(x).input(bools({3}, {0, 1, 1})).set("axis", 0).run();
  CHECK(r.dims() == Dims{2, 2});
  CHECK(r.values() == Floats{2, 3, 4, 5});
  r = Case("Compress").input(x).input(bools({2}, {0, 1})).set("axis", -1).run();
  CHECK(r.dims() == Dims{3, 1});
  CHECK(r.values() == Floats{1, 3, 5});
  // A condition may end early; without an axis the elements are one list.
  r = Case("Compress").input(x).input(bools({5}, {0, 1, 0, 0, 1})).run();
  CHECK(r.values() == Floats{1, 4});
  r = Case("Compress").input(x).input(bools({1}, {0})).set("axis", 1).run();
  CHECK(r.dims() == Dims{3, 0});
  CHECK(Case("Compress").input(x).input(bools({1, 1}, {0})).run().status == MDL_ERROR_SHAPE);
  CHECK(Case("Compress").input(x).input(counted<float>({3})).run().status == MDL_ERROR_DTYPE);
}

TEST_CASE("Unique finds the first of equals", "[unique]") {
  const Value x = tensor<float>({6}, {2, 1, 1, 3, 4, 3});
  const auto unique = [&](int sorted) {
    return Case("Unique").input(x).set("sorted", sorted).output().output().output().output().run();
  };
  Result r = unique(1);
  CHECK(r.values() == Floats{1, 2, 3, 4});
  CHECK(r.values<int64_t>(1) == Ints{1, 0, 3, 4});
  CHECK(r.values<int64_t>(2) == Ints{1, 0, 0, 2, 3, 2});
  CHECK(r.values<int64_t>(3) == Ints{2, 1, 2, 1});
  r = unique(0);
  CHECK(r.values() == Floats{2, 1, 3, 4});
  CHECK(r.values<int64_t>(1) == Ints{0, 1, 3, 4});
  CHECK(r.values<int64_t>(2) == Ints{0, 1, 1, 2, 3, 2});
  CHECK(r.values<int64_t>(3) == Ints{1, 2, 2, 1});
}

TEST_CASE("Unique compares slices along its axis", "[unique]") {
  const Value x = tensor<int8_t>({2, 3, 2}, {1, 1, 0, 1, 1, 1, 2, 1, 0, 1, 2, 1});
  const Result r = Case("Unique").input(x).set("axis", -2).output().output().output().run();
  REQUIRE(r.status == MDL_OK);
  CHECK(r.dims() == Dims{2, 2, 2});
  CHECK(r.values<int8_t>() == std::vector<int8_t>{0, 1, 1, 1, 0, 1, 2, 1});
  CHECK(r.values<int64_t>(1) == Ints{1, 0});
  CHECK(r.values<int64_t>(2) == Ints{1, 0, 1});
  const Result nan = Case("Unique").input(tensor<float>({3}, {kNaN, 1, kNaN})).run();
  CHECK(nan.dims() == Dims{2});
  CHECK(nan.values()[0] == 1);
}

TEST_CASE("TopK gives the greatest in order, of equals the first", "[top_k]") {
  const Value x = tensor<float>({2, 4}, {1, 4, 4, 2, -1, -1, -5, kNaN});
  Result r = Case("TopK").input(x).set("k", 2).output().output().run();
  CHECK(r.dims() == Dims{2, 2});
  CHECK(r.values<int64_t>(1) == Ints{1, 2, 3, 0});
  r = Case("TopK").input(x).set("k", 3).set("largest", 0).output().output().run();
  CHECK(r.values() == Floats{1, 2, 4, -5, -1, -1});
  CHECK(r.values<int64_t>(1) == Ints{0, 3, 1, 2, 0, 1});
  r = Case("TopK").input(x).set("k", 1).set("axis", 0).no_output().output().run();
  CHECK(r.values<int64_t>(1) == Ints{0, 0, 0, 1});
  const Value wide = tensor<uint64_t>({3}, {uint64_t{1} << 63, 1, (uint64_t{1} << 63) + 1});
  r = Case("TopK").input(wide).set("k", 3).output().output().run();
  CHECK(r.values<int64_t>(1) == Ints{2, 0, 1});
  CHECK(Case("TopK").input(x).set("k", 5).run().says("k is 5, should be at most 4"));
  CHECK(Case("TopK").input(x).set("k", 0).run().says("k is 0, should be at least 1"));
}

namespace {

// Three places with two boxes each that overlap, as corners.
const Floats kCorners = {0, 0,  1, 1,  0, 0.1f,  1, 1.1f,  0, -0.1f, 1, 0.9f,
                         0, 10, 1, 11, 0, 10.1f, 1, 11.1f, 0, 100,   1, 101};

Case suppression(const Floats& boxes, const Floats& scores, int64_t most) {
  Case c("NonMaxSuppression");
  const auto count = static_cast<int64_t>(scores.size());
  c.input(tensor({1, count, 4}, boxes)).input(tensor({1, 1, count}, scores));
  return c.set("max_output_boxes_per_class", most).set("iou_threshold", 0.5);
}

}  // namespace

TEST_CASE("NonMaxSuppression drops what overlaps a better box", "[non_max_suppression]") {
  const Floats scores = {0.9f, 0.75f, 0.6f, 0.95f, 0.5f, 0.3f};
  Result r = suppression(kCorners, scores, 3).run();
  REQUIRE(r.status == MDL_OK);
  CHECK(r.values<int64_t>() == Ints{0, 0, 3, 0, 0, 0, 0, 0, 5});
  r = suppression(kCorners, scores, 2).run();
  CHECK(r.dims() == Dims{2, 3});
  r = suppression(kCorners, scores, 3).set("score_threshold", 0.375).run();
  CHECK(r.values<int64_t>() == Ints{0, 0, 3, 0, 0, 0});
  r = suppression(kCorners, scores, 3).set("score_threshold", 2.0).run();
  CHECK(r.dims() == Dims{0, 3});
  // The corners swapped, and the same boxes by their centers.
  Floats swapped = kCorners, centers = kCorners;
  for (size_t i = 0; i < kCorners.size(); i += 4) {
    for (size_t d = i; d < i + 2; ++d) {
      std::swap(swapped[d], swapped[d + 2]);
      centers[d] = (kCorners[d] + kCorners[d + 2]) / 2;
      centers[d + 2] = kCorners[d + 2] - kCorners[d];
    }
  }
  CHECK(suppression(swapped, scores, 3).run().values<int64_t>() == Ints{0, 0, 3, 0, 0, 0, 0, 0, 5});
  CHECK(suppression(centers, scores, 3).set("center_point_box", 1).run().values<int64_t>() ==
        Ints{0, 0, 3, 0, 0, 0, 0, 0, 5});
}

TEST_CASE("NonMaxSuppression takes equal boxes once and refuses what does not fit",
          "[non_max_suppression]") {
  const Floats same = {0, 0, 1, 1, 0, 0, 1, 1};
  CHECK(suppression(same, {0.5f, 0.5f}, 4).run().values<int64_t>() == Ints{0, 0, 0});
  CHECK(suppression(same, {0.5f, kNaN}, 4).run().values<int64_t>() == Ints{0, 0, 0});
  CHECK(suppression(same, {0.5f, 0.5f}, 0).run().says("should be at least 1"));
  Case apart("NonMaxSuppression");
  apart.input(counted<float>({1, 2, 4})).input(counted<float>({1, 1, 3}));
  CHECK(apart.set("max_output_boxes_per_class", 1).run().status == MDL_ERROR_SHAPE);
}

}  // namespace medulla::test
