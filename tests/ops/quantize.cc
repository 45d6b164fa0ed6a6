// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Value per_axis(Value value, int32_t axis, std::vector<float> scales, std::vector<int32_t> zeros) {
  value.axis = axis;
  value.scales = std::move(scales);
  value.zero_points = std::move(zeros);
  return value;
}

TEST_CASE("QuantizeLinear rounds half to even, clamps, and gives its least for NaN") {
  const Value x = tensor<float>({8}, {0, 0.25f, 0.75f, -0.25f, 1000, -1000, kNan, kInf});
  const auto run = [&](mdl_dtype dtype, int32_t zero_point) {
    return Case("QuantizeLinear")
        .input(x)
        .output(declared(dtype).quantized(0.5f, zero_point))
        .run();
  };
  CHECK(run(MDL_INT8, 3).values<int8_t>() == std::vector<int8_t>{3, 3, 5, 3, 127, -128, -128, 127});
  CHECK(run(MDL_UINT8, 128).values<uint8_t>() ==
        std::vector<uint8_t>{128, 128, 130, 128, 255, 0, 0, 255});
  CHECK(run(MDL_INT16, 0).values<int16_t>() ==
        std::vector<int16_t>{0, 0, 2, 0, 2000, -2000, -32768, 32767});
  CHECK(run(MDL_UINT16, 0).values<uint16_t>() ==
        std::vector<uint16_t>{0, 0, 2, 0, 2000, 0, 0, 65535});
}

TEST_CASE("QuantizeLinear divides, it does not multiply by a reciprocal") {
  // 0.5 * (1 / 0.1f) rounds to 4.9999995, the quotient to 5 - which a scale of 0.1f shows.
  Random random(1);
  std::vector<float> x(1000);
  random.fill(std::span(x), -20.0f, 20.0f);
  const std::vector<int8_t> y = Case("QuantizeLinear")
                                    .input(tensor<float>({1000}, x))
                                    .output(declared(MDL_INT8).quantized(0.1f, 0))
                                    .run()
                                    .values<int8_t>();
  for (size_t i = 0; i < x.size(); ++i) {
    const long q = std::lrint(x[i] / 0.1f);
    REQUIRE(y[i] == std::min(std::max(q, -128L), 127L));
  }
}

TEST_CASE("QuantizeLinear and DequantizeLinear along an axis") {
  const Value x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Value to = per_axis(declared(MDL_INT8), 1, {1, 2, 0.5f}, {0, 1, -1});
  const Result r = Case("QuantizeLinear").input(x).output(to).run();
  CHECK(r.values<int8_t>() == std::vector<int8_t>{1, 2, 5, 4, 3, 11});
  const Value from =
      per_axis(tensor<int8_t>({2, 3}, r.values<int8_t>()), 1, {1, 2, 0.5f}, {0, 1, -1});
  CHECK(Case("DequantizeLinear").input(from).run().values() ==
        std::vector<float>{1, 2, 3, 4, 4, 6});
}

TEST_CASE("DequantizeLinear takes the difference exactly") {
  using Limits = std::numeric_limits<int32_t>;
  const Value x = tensor<int32_t>({2}, {Limits::min(), Limits::max()}).quantized(0.5f, 1);
  CHECK(Case("DequantizeLinear").input(x).run().values() == std::vector<float>{-0x1p30f, 0x1p30f});
  CHECK(Case("DequantizeLinear")
            .input(tensor<uint16_t>({1}, {65535}).quantized(2, 65530))
            .run()
            .values() == std::vector<float>{10});
}

TEST_CASE("QuantizeLinear and DequantizeLinear say what they refuse") {
  const Value x = counted<float>({2, 3});
  const auto quantize = [&](const Value& to) {
    return Case("QuantizeLinear").input(x).output(to).run();
  };
  CHECK(quantize(declared(MDL_INT32).quantized(1, 0)).says("should be int8, uint8, int16 or"));
  CHECK(quantize(declared(MDL_INT8)).says("'y0' has 0 scales"));
  CHECK(quantize(per_axis(declared(MDL_INT8), 0, {1, 1, 1}, {0, 0, 0})).says("has 3 scales"));
  CHECK(quantize(per_axis(declared(MDL_INT8), 2, {1, 1}, {0, 0})).says("one for each index"));
  CHECK(quantize(declared(MDL_INT8).quantized(1, 128))
            .says("zero point 0 of 'y0' is 128, should be from -128 to 127"));
  CHECK(Case("DequantizeLinear").input(counted<int64_t>({2})).run().status == MDL_ERROR_DTYPE);
  CHECK(Case("DequantizeLinear").input(counted<int8_t>({2})).run().says("'x0' has 0 scales"));
}

}  // namespace
}  // namespace medulla::test
