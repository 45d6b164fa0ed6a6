// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <limits>

#include "src/ops/binary.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  return infer_binary(node, inputs, outputs, error);
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// log2 x of a positive float32, within 2^-50 relative: x = 2^e m, sqrt(1/2) <= m < sqrt(2), and
// ln m = 2 atanh(s), s = (m - 1) / (m + 1), by its series up to s^23.
double log2_of(float x) {
  if (x == 0) return -kInfinity;
  if (std::isinf(x)) return kInfinity;
  constexpr uint64_t kSqrtHalf = 0x3FE6A09E667F3BCD;
  const uint64_t bits = std::bit_cast<uint64_t>(double{x}) - kSqrtHalf;
  const double e = static_cast<double>(static_cast<int64_t>(bits) >> 52);
  const double m = std::bit_cast<double>((bits & ((uint64_t{1} << 52) - 1)) + kSqrtHalf);
  const double s = (m - 1) / (m + 1);
  double series = 0;
  for (int k = 23; k >= 1; k -= 2) series = std::fma(series, s * s, 1.0 / k);
  return std::fma(2 * s * 0x1.71547652b82fep0, series, e);  // 1 / ln 2
}

// 2^t, infinite from 2^129 on, 0 below 2^-151: n = rne(t), then e^((t - n) ln 2) by its series up
// to the 13th power.
double exp2_of(double t) {
  if (t > 129) return kInfinity;
  if (t < -151) return 0;
  constexpr double kRound = 0x1.8p52;
  const double n = t + kRound - kRound;
  const double r = (t - n) * 0x1.62e42fefa39efp-1;  // ln 2
  double series = 1;
  for (int k = 13; k >= 1; --k) series = std::fma(series, r / k, 1.0);
  return series *
         std::bit_cast<double>(static_cast<uint64_t>(1023 + static_cast<int64_t>(n)) << 52);
}

// x^y = fl(2^(y log2 |x|)), signed as x when y is odd, in binary64 until the last rounding: within
// 0.501 ulp. The special cases are C's: x^0 = 1^y = (-1)^(+-inf) = 1; NaN when either is NaN, or x
// < 0 and y is no integer.
struct Pow {
  float operator()(float x, float y) const {
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y) return x + y;
    const float a = std::fabs(y);
    // From 2^24 on, all floats are even.
    const bool whole = a >= 0x1p24f || static_cast<float>(static_cast<int32_t>(a)) == a;
    const bool odd = a < 0x1p24f && whole && (static_cast<int32_t>(a) & 1) != 0;
    if (x < 0 && !whole && !std::isinf(x)) return std::numeric_limits<float>::quiet_NaN();
    const double log = log2_of(std::fabs(x));
    const float magnitude = log == 0 ? 1.0f : static_cast<float>(exp2_of(double{y} * log));
    return std::signbit(x) && odd ? -magnitude : magnitude;
  }
};

mdl_status reference(const ReferenceCall& call, mdl_error*) {
  map_binary<float>(call, Pow());
  return MDL_OK;
}

}  // namespace

extern const Op op_Pow = {
    .name = "Pow",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .reference = reference,
    .in_place = 3,
};

}  // namespace medulla
