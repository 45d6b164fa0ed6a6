// SPDX-License-Identifier: Apache-2.0
// GridSample, RoiAlign, MaxRoiPool and DeformConv.
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

// Along a signal, at coordinates from -1 to 1.
Floats sampled(const Floats& x, const Floats& at, const char* mode, const char* padding,
               bool aligned) {
  return Case("GridSample")
      .input(tensor<float>({1, static_cast<int64_t>(x.size()), 1}, x))
      .input(tensor<float>({1, static_cast<int64_t>(at.size()), 1}, at))
      .set("mode", mode)
      .set("padding_mode", padding)
      .set("align_corners", aligned)
      .run()
      .values();
}

TEST_CASE("GridSample along a signal") {
  const Floats x = {1, 2, 4, 8};
  // Centers are at -3/4, -1/4, 1/4, 3/4, with align_corners at -1, -1/3, 1/3, 1.
  const Floats at = {-1, -0.5f, 0.25f, 1.25f};
  CHECK(sampled(x, at, "linear", "zeros", false) == Floats{0.5f, 1.5f, 4, 0});
  CHECK(sampled(x, at, "linear", "border", false) == Floats{1, 1.5f, 4, 8});
  CHECK(sampled(x, at, "linear", "reflection", false) == Floats{1, 1.5f, 4, 8});
  CHECK(sampled(x, {-1, 1, -1.5f}, "linear", "zeros", true) == Floats{1, 8, 0.25f});
  CHECK(sampled(x, {-1.5f, 3}, "linear", "reflection", true) == Floats{1.75f, 1});
  // Ties go to the even index.
  CHECK(sampled(x, {-0.5f, 0, 0.5f, -1.5f}, "nearest", "zeros", false) == Floats{1, 4, 4, 0});
  CHECK(sampled(x, {0.25f, -0.75f}, "cubic", "border", false) == Floats{4, 1});
  const float w0 = 0.59375f, w1 = -0.09375f;  // of Keys' function with -3/4 at 1/2 and 3/2
  CHECK(sampled(x, {0}, "cubic", "zeros", false)[0] == Approx(w1 * 9 + w0 * 6));
  CHECK(sampled(x, {-1}, "cubic", "reflection", false)[0] == Approx(w0 * 2 + w1 * 4));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const char* padding : {"zeros", "border", "reflection"}) {
    for (const char* mode : {"linear", "nearest", "cubic"}) {
      for (const bool aligned : {false, true}) {
        sampled(x, {nan, inf, -inf, 1e38f, -1e38f}, mode, padding, aligned);
      }
    }
  }
}

TEST_CASE("GridSample of pictures takes x first, and all channels") {
  const Value x = counted<float>({1, 2, 3, 2});
  const Result r = Case("GridSample")
                       .input(x)
                       .input(tensor<float>({1, 1, 2, 2}, {1, -1, 0, 0}))
                       .set("align_corners", 1)
                       .run();
  CHECK(r.dims() == Ints{1, 1, 2, 2});
  CHECK(r.values() == Floats{4, 5, 5, 6});
  const Result volume = Case("GridSample")
                            .input(counted<float>({1, 2, 2, 2, 1}))
                            .input(tensor<float>({1, 1, 1, 1, 3}, {1, -1, 0}))
                            .set("align_corners", 1)
                            .run();
  CHECK(volume.values() == Floats{3});
  CHECK(Case("GridSample").input(x).input(counted<float>({1, 1, 2, 3})).run().says("the grid"));
  CHECK(Case("GridSample").input(x).input(counted<float>({2, 1, 2, 2})).run().says("the grid"));
  CHECK(Case("GridSample")
            .input(x)
            .input(counted<float>({1, 1, 2, 2}))
            .set("mode", "bilinear")
            .run()
            .says("mode is 'bilinear', should be 'linear', 'nearest' or 'cubic'"));
}

TEST_CASE("RoiAlign averages samples of each bin") {
  const auto align = [](const Floats& roi, const char* mode, int64_t ratio, bool half,
                        int64_t image = 0) {
    return Case("RoiAlign")
        .input(counted<float>({1, 4, 4, 1}))
        .input(tensor<float>({1, 4}, roi))
        .input(tensor<int64_t>({1}, {image}))
        .set("output_height", 1)
        .set("output_width", 2)
        .set("sampling_ratio", ratio)
        .set("mode", mode)
        .set("half_pixel", half)
        .run();
  };
  // x from 0 to 4 in two bins, y from 0 to 2: samples at y = 1/2, 3/2 and x = 1/2, 3/2 | 5/2, 7/2;
  // the last column stands in for what is right of it.
  CHECK(align({0, 0, 4, 2}, "avg", 2, false).values() == Floats{5, 6.75f});
  CHECK(align({0, 0, 4, 2}, "avg", 0, false).values() == Floats{5, 6.75f});
  CHECK(align({0.5f, 0.5f, 4.5f, 2.5f}, "avg", 2, true).values() == Floats{5, 6.75f});
  // At (1/2, 1) and (1/2, 3): products of 1/2 with 1 and 5, with 3 and 7.
  CHECK(align({0, 0, 4, 1}, "max", 1, false).values() == Floats{2.5f, 3.5f});
  CHECK(align({9, 9, 13, 11}, "avg", 1, false).values() == Floats{0, 0});
  CHECK(align({0, 0, 4, 2}, "sum", 1, false).says("mode is 'sum'"));
  CHECK(align({0, 0, 4, 2}, "avg", -1, false).says("sampling_ratio -1"));
  CHECK(align({0, 0, 4, 2}, "avg", 1, false, 1).says("index 0 is 1, should be from -1 to 0"));
}

TEST_CASE("MaxRoiPool takes the greatest of each bin's pixels") {
  const auto pool = [](const Floats& roi, double scale = 1) {
    return Case("MaxRoiPool")
        .input(counted<float>({2, 4, 4, 1}))
        .input(tensor<float>({1, 5}, roi))
        .set("pooled_shape", Ints{2, 2})
        .set("spatial_scale", scale)
        .run();
  };
  CHECK(pool({0, 0, 0, 3, 3}).values() == Floats{5, 7, 13, 15});
  CHECK(pool({1, 0, 0, 6, 6}, 0.5).values() == Floats{21, 23, 29, 31});
  // Three pixels in two bins share the middle one; a region ends with the image.
  CHECK(pool({0, 0, 0, 2, 2}).values() == Floats{5, 6, 9, 10});
  CHECK(pool({0, 3, 3, 6, 6}).values() == Floats{15, 0, 0, 0});
  CHECK(pool({0, 2, 2, 1, 1}).values() == Floats{10, 10, 10, 10});
  CHECK(pool({2, 0, 0, 1, 1}).says("region 0 is of image 2, there are 2"));
  CHECK(pool({std::nanf(""), 0, 0, 1, 1}).status == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(pool({0, std::nanf(""), -1e30f, 1e30f, 1e30f}).status == MDL_OK);
}

// Of [1, 3, 3, C] by a window of 2 x 2.
Result deformed(const Value& x, const Value& w, const Value& offsets, const Value& bias,
                const Value& mask, int64_t group, int64_t offset_group) {
  return Case("DeformConv")
      .input(x)
      .input(w)
      .input(offsets)
      .input(bias)
      .input(mask)
      .set("group", group)
      .set("offset_group", offset_group)
      .run();
}

TEST_CASE("DeformConv reads where its offsets say") {
  Random random(1);
  const Value x = counted<float>({1, 3, 3, 1});
  const Value w = tensor<float>({1, 2, 2, 1}, {1, 10, 100, 1000});
  const auto moved = [&](const Floats& offsets, const Value& mask = {}) {
    Floats all;
    for (int p = 0; p < 4; ++p) all.insert(all.end(), offsets.begin(), offsets.end());
    return deformed(x, w, tensor({1, 2, 2, 8}, all), {}, mask, 1, 1);
  };
  CHECK(moved(Floats(8, 0)).values() == Floats{4310, 5421, 7643, 8754});
  // The first tap a row down; the second half a column to the right; the others out of the image.
  const Floats offsets = {1, 0, 0, 0.5f, -3, 0, 0, std::nanf("")};
  CHECK(moved(offsets).values() == Floats{3 + 15, 4 + 10, 6 + 45, 7 + 25});
  Floats half(16, 0.5f);
  CHECK(moved(offsets, tensor({1, 2, 2, 4}, half)).values() == Floats{9, 7, 25.5f, 16});
  // Without offsets it is a convolution, whatever the groups.
  const Value image = random_floats(random, {2, 3, 3, 4});
  const Value weights = random_floats(random, {6, 2, 2, 2});
  const Value bias = random_floats(random, {6});
  const Value none = tensor({2, 2, 2, 32}, Floats(256, 0));
  const Result expected =
      Case("Conv").input(image).input(weights).input(bias).set("group", 2).run();
  const Result found = deformed(image, weights, none, bias, {}, 2, 4);
  INFO(found.text);
  CHECK(found.values() == expected.values());
  CHECK(deformed(image, weights, none, bias, {}, 2, 3).says("offset_group is 3"));
  CHECK(deformed(image, weights, none, bias, {}, 2, 2).says("should be [2,2,2,16]"));
  CHECK(deformed(image, weights, none, bias, none, 2, 4).says("input 4 is [2,2,2,32]"));
}

}  // namespace
}  // namespace medulla::test
