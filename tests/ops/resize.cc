// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Result resize(const Floats& x, double scale, const char* mode, const char* coordinates,
              const char* nearest = nullptr) {
  Case c("Resize");
  c.input(tensor<float>({1, static_cast<int64_t>(x.size()), 1}, x));
  c.set("scales", std::vector<double>{1, scale, 1});
  c.set("mode", mode).set("coordinate_transformation_mode", coordinates);
  if (nearest != nullptr) c.set("nearest_mode", nearest);
  return c.run();
}

TEST_CASE("Resize takes the nearest value") {
  const Floats x = {1, 2, 3, 4};
  CHECK(resize(x, 2, "nearest", "asymmetric", "floor").values() == Floats{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(resize(x, 2, "nearest", "half_pixel").values() == Floats{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(resize(x, 2, "nearest", "asymmetric", "ceil").values() == Floats{1, 2, 2, 3, 3, 4, 4, 4});
  CHECK(resize(x, 2, "nearest", "asymmetric", "round_prefer_floor").values() ==
        Floats{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(resize(x, 2, "nearest", "asymmetric", "round_prefer_ceil").values() ==
        Floats{1, 2, 2, 3, 3, 4, 4, 4});
  CHECK(resize(x, 0.5, "nearest", "half_pixel", "floor").values() == Floats{1, 3});
  CHECK(resize(x, 1.75, "nearest", "align_corners", "floor").values() ==
        Floats{1, 1, 2, 2, 3, 3, 4});
  CHECK(resize(x, 0.5, "nearest", "tf_half_pixel_for_nn", "floor").values() == Floats{2, 4});
}

TEST_CASE("Resize interpolates") {
  const Floats x = {0, 4, 8};
  CHECK(resize(x, 2, "linear", "half_pixel").values() == Floats{0, 1, 3, 5, 7, 8});
  CHECK(resize(x, 2, "linear", "asymmetric").values() == Floats{0, 2, 4, 6, 8, 8});
  CHECK(resize(x, 5.0 / 3, "linear", "align_corners").values() == Floats{0, 2, 4, 6, 8});
  CHECK(resize(x, 0.5, "linear", "pytorch_half_pixel").values() == Floats{0});
  CHECK(resize(x, 0.5, "linear", "half_pixel").values() == Floats{2});
  CHECK(resize(x, 0.5, "linear", "half_pixel_symmetric").values() == Floats{4});
}

TEST_CASE("Resize goes along x first") {
  // Along y first, the two great ones would meet and cancel.
  const float big = 0x1p30f;
  const Value x = tensor<float>({1, 2, 2, 1}, {big, 1, -big, 1});
  const Result r =
      Case("Resize").input(x).set("sizes", Ints{1, 1, 1, 1}).set("mode", "linear").run();
  CHECK(r.values() == Floats{0});
}

TEST_CASE("Resize to sizes, in several dimensions and dtypes") {
  const Value q = counted<int8_t>({1, 2, 2, 2}).quantized(0.5f, 3);
  const Result r = Case("Resize")
                       .input(q)
                       .output(declared(MDL_INT8).quantized(0.5f, 3))
                       .set("sizes", Ints{1, 4, 2, 2})
                       .run();
  CHECK(r.dims() == Ints{1, 4, 2, 2});
  CHECK(r.values<int8_t>() == std::vector<int8_t>{0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7});
  const Value x = tensor<float>({1, 2, 2, 1}, {0, 4, 8, 12});
  CHECK(Case("Resize")
            .input(x)
            .set("sizes", Ints{1, 3, 3, 1})
            .set("mode", "linear")
            .set("coordinate_transformation_mode", "align_corners")
            .run()
            .values() == Floats{0, 2, 4, 4, 6, 8, 8, 10, 12});
}

TEST_CASE("Resize leaves alone what it does not resize") {
  const float inf = std::numeric_limits<float>::infinity();
  const Result r = Case("Resize")
                       .input(tensor<float>({1, 2, 2}, {1, inf, 3, inf}))
                       .set("scales", std::vector<double>{1, 2, 1})
                       .set("mode", "linear")
                       .run();
  CHECK(r.values()[0] == 1);
  CHECK(r.values()[2] == 1.5f);
}

TEST_CASE("Resize by Keys' cubic goes through what is linear") {
  const Floats y = resize({0, 4, 8, 12, 16, 20}, 2, "cubic", "asymmetric").values();
  // Away from the edges: half way between two values, (a, 1/2 - a, 1/2 - a, a) of which 0.
  CHECK(y[4] == 8);
  CHECK(y[5] == 10);
  CHECK(y[7] == 14);
  // At the edge, with values outside and without them.
  const auto edge = [](int64_t exclude) {
    return Case("Resize")
        .input(tensor<float>({1, 2}, {1, 3}))
        .set("sizes", Ints{1, 4})
        .set("mode", "cubic")
        .set("cubic_coeff_a", -0.5)
        .set("exclude_outside", exclude)
        .run()
        .values();
  };
  // At -1/4 the weights of Keys' function with a = -1/2 are -9/128, 111/128, 29/128, -3/128, those
  // of -2, -1, 0 and 1 in this order being -3, 29, 111 and -9.
  CHECK(edge(0)[0] == Approx((-3 + 29 + 111 - 9 * 3) / 128.0));
  CHECK(edge(1)[0] == Approx((111 - 9 * 3) / 102.0));
}

TEST_CASE("With antialias a smaller picture reads all that it covers") {
  const auto y = [](const char* mode) {
    return Case("Resize")
        .input(tensor<float>({1, 8}, {0, 0, 0, 8, 8, 0, 0, 0}))
        .set("sizes", Ints{1, 2})
        .set("mode", mode)
        .set("antialias", 1)
        .run()
        .values();
  };
  // A hat of 8 values around 1.5: 1/32 of 1, 3, 5, 7, 7, 5, 3, 1 from -2 on.
  CHECK(y("linear") == Floats{8 * (5 + 3) / 32.0f, 2});
  CHECK(y("cubic")[0] == Approx(y("cubic")[1]));
}

TEST_CASE("Resize crops, and extrapolates beyond the tensor") {
  const auto crop = [](const char* mode) {
    return Case("Resize")
        .input(tensor<float>({1, 5}, {0, 4, 8, 12, 16}))
        .set("sizes", Ints{1, 4})
        .set("mode", mode)
        .set("coordinate_transformation_mode", "tf_crop_and_resize")
        .set("roi", std::vector<double>{0, 0.375, 1, 1.5})
        .set("extrapolation_value", -1.0)
        .run()
        .values();
  };
  CHECK(crop("linear") == Floats{6, 12, -1, -1});
  CHECK(crop("nearest") == Floats{4, 12, -1, -1});
  CHECK(Case("Resize")
            .input(counted<float>({2}))
            .set("sizes", Ints{2})
            .set("roi", std::vector<double>{0, 1})
            .run()
            .says("roi has 2 entries, should have 0"));
}

TEST_CASE("Sizes that were rounded keep their scale") {
  const Result r = Case("Resize")
                       .input(tensor<float>({4}, {0, 4, 8, 12}))
                       .set("sizes", Ints{3})
                       .set("scales", std::vector<double>{0.625})
                       .set("mode", "linear")
                       .set("coordinate_transformation_mode", "asymmetric")
                       .run();
  CHECK(r.values() == Floats{0, 6.4f, 12});
}

TEST_CASE("Resize says what it refuses") {
  const auto node = [](std::vector<double> scales, Ints sizes, const char* mode = "nearest") {
    return Case("Resize")
        .input(counted<float>({1, 2, 3}))
        .set("scales", scales)
        .set("sizes", sizes)
        .set("mode", mode)
        .run();
  };
  CHECK(node({1, 2}, {1, 2, 3}).says("has 2 scales and 3 sizes, should have 3 of one of them"));
  CHECK(node({}, {}).says("has 0 scales and 0 sizes"));
  CHECK(node({1, 2, 1}, {1, 2, 3}).says("dimension 1 of [1,2,3] would be resized to 2 with"));
  CHECK(node({1, 2}, {}).status == MDL_ERROR_BAD_MODEL);
  CHECK(node({1, -2, 1}, {}).status == MDL_ERROR_SHAPE);
  CHECK(node({1, 1e30, 1}, {}).status == MDL_ERROR_SHAPE);
  CHECK(node({1, std::numeric_limits<double>::quiet_NaN(), 1}, {}).status == MDL_ERROR_SHAPE);
  CHECK(node({}, {1, -2, 3}).status == MDL_ERROR_SHAPE);
  CHECK(node({}, {1, 4, -1}).values().size() == 12);
  CHECK(node({1, 2, 1}, {}, "spline").says("mode is 'spline', which is not known"));
  CHECK(Case("Resize").input(counted<float>({0, 2})).set("sizes", Ints{1, 2}).run().status ==
        MDL_ERROR_SHAPE);
  CHECK(Case("Resize")
            .input(counted<int32_t>({1, 2}))
            .set("sizes", Ints{1, 4})
            .set("mode", "linear")
            .run()
            .says("should be float32"));
}

}  // namespace
}  // namespace medulla::test
