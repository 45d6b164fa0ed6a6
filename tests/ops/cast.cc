// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Dims = std::vector<int64_t>;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Value typed(Value value, mdl_dtype dtype) {
  value.dtype = dtype;
  return value;
}

template <class To>
std::vector<To> cast(const Value& x, mdl_dtype to) {
  const Result r = Case("Cast").input(x).set("to", static_cast<int>(to)).run();
  REQUIRE(r.status == MDL_OK);
  return r.values<To>();
}

TEST_CASE("Casts of floats to integers are cut, saturate, and NaN gives 0") {
  const Value x = tensor<float>({8}, {1.9f, -1.9f, kNan, kInf, -kInf, 300, -300, 3e9f});
  CHECK(cast<int8_t>(x, MDL_INT8) == std::vector<int8_t>{1, -1, 0, 127, -128, 127, -128, 127});
  CHECK(cast<uint8_t>(x, MDL_UINT8) == std::vector<uint8_t>{1, 0, 0, 255, 0, 255, 0, 255});
  CHECK(cast<int32_t>(x, MDL_INT32) ==
        std::vector<int32_t>{1, -1, 0, INT32_MAX, INT32_MIN, 300, -300, INT32_MAX});
  CHECK(cast<int64_t>(x, MDL_INT64) ==
        std::vector<int64_t>{1, -1, 0, INT64_MAX, INT64_MIN, 300, -300, 3000000000});
  CHECK(cast<uint64_t>(tensor<float>({2}, {1e30f, -1}), MDL_UINT64) ==
        std::vector<uint64_t>{UINT64_MAX, 0});
  CHECK(cast<uint8_t>(x, MDL_BOOL) == std::vector<uint8_t>(8, 1));
}

TEST_CASE("Casts between integers wrap") {
  const Value x = tensor<int32_t>({4}, {-1, 128, 256, INT32_MIN});
  CHECK(cast<int8_t>(x, MDL_INT8) == std::vector<int8_t>{-1, -128, 0, 0});
  CHECK(cast<uint16_t>(x, MDL_UINT16) == std::vector<uint16_t>{65535, 128, 256, 0});
  CHECK(cast<uint64_t>(x, MDL_UINT64)[0] == UINT64_MAX);
  CHECK(cast<uint8_t>(x, MDL_BOOL) == std::vector<uint8_t>(4, 1));
  CHECK(cast<float>(typed(tensor<uint8_t>({3}, {0, 1, 2}), MDL_BOOL), MDL_FLOAT32) ==
        std::vector<float>{0, 1, 1});
}

TEST_CASE("Casts to floats take one rounding to nearest even") {
  CHECK(cast<float>(tensor<int64_t>({3}, {16777217, 16777219, INT64_MAX}), MDL_FLOAT32) ==
        std::vector<float>{16777216, 16777220, 9223372036854775808.0f});
  CHECK(cast<float>(tensor<uint64_t>({1}, {UINT64_MAX}), MDL_FLOAT32) ==
        std::vector<float>{18446744073709551616.0f});
  CHECK(cast<double>(tensor<float>({1}, {0.1f}), MDL_FLOAT64) ==
        std::vector<double>{static_cast<double>(0.1f)});
  CHECK(cast<float>(tensor<double>({2}, {0.1, 1e300}), MDL_FLOAT32) ==
        std::vector<float>{0.1f, kInf});
}

TEST_CASE("float16") {
  const Value x = tensor<float>({13}, {0, -0.0f, 1, -2, 65504, 65519.996f, 65520, kInf, -kInf, kNan,
                                       5.9604645e-8f, 2.9802322e-8f, 2.9802326e-8f});
  const std::vector<uint16_t> expected = {0,      0x8000, 0x3C00, 0xC000, 0x7BFF, 0x7BFF, 0x7C00,
                                          0x7C00, 0xFC00, 0x7E00, 1,      0,      1};
  CHECK(cast<uint16_t>(x, MDL_FLOAT16) == expected);
  // 1 + 2^-11 is a tie, and a value just above it is none, even when float32 cannot tell.
  CHECK(cast<uint16_t>(tensor<double>({3}, {1 + 0x1p-11, 1 + 3 * 0x1p-11, 1 + 0x1p-11 + 0x1p-50}),
                       MDL_FLOAT16) == std::vector<uint16_t>{0x3C00, 0x3C02, 0x3C01});
}

TEST_CASE("Every float16 and bfloat16 survives a way through float64") {
  for (const mdl_dtype dtype : {MDL_FLOAT16, MDL_BFLOAT16}) {
    Value x = counted<uint16_t>({65536});
    x.dtype = dtype;
    const std::vector<double> wide = cast<double>(x, MDL_FLOAT64);
    const std::vector<uint16_t> back = cast<uint16_t>(tensor<double>({65536}, wide), dtype);
    for (size_t i = 0; i < 65536; ++i) {
      if (!std::isnan(wide[i])) REQUIRE(back[i] == i);
    }
  }
}

TEST_CASE("bfloat16 rounds the upper half of float32") {
  const uint64_t seed = 7;
  Random random(seed);
  for (int round = 0; round < 2000; ++round) {
    const float value = random.real() * std::ldexp(1.0f, random.integer(-100, 100));
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits += 0x7FFF + (bits >> 16 & 1);
    INFO("seed " << seed << ", value " << value);
    REQUIRE(cast<uint16_t>(tensor<float>({1}, {value}), MDL_BFLOAT16)[0] == bits >> 16);
  }
}

TEST_CASE("Cast refuses what has no whole bytes") {
  const Value x = counted<float>({1});
  CHECK(Case("Cast").input(x).set("to", static_cast<int>(MDL_INT4)).run().status ==
        MDL_ERROR_DTYPE);
  CHECK(Case("Cast").input(x).set("to", 99).run().says("to is 99, should be a dtype"));
  CHECK(Case("Cast").input(x).set("to", int64_t{1} << 32 | MDL_INT8).run().status ==
        MDL_ERROR_DTYPE);
}

}  // namespace
}  // namespace medulla::test
