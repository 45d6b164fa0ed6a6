// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "src/ops/binary.h"

namespace medulla {
namespace {

// The exponent may have a dtype of its own.
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kNumbers, error));
  MDL_TRY(check_dtypes(node, inputs, 1, kNumbers, error));
  mdl_shape shape;
  MDL_TRY(broadcast_shapes(node, inputs[0].shape, inputs[1].shape, &shape, error));
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// log2 x of a positive number, within 2^-50 relative: x = 2^e m, sqrt(1/2) <= m < sqrt(2), and
// ln m = 2 atanh(s), s = (m - 1) / (m + 1), by its series up to s^23.
double log2_of(double x) {
  if (x == 0) return -kInfinity;
  if (std::isinf(x)) return kInfinity;
  constexpr uint64_t kSqrtHalf = 0x3FE6A09E667F3BCD;
  const uint64_t bits = std::bit_cast<uint64_t>(x) - kSqrtHalf;
  const double e = static_cast<double>(static_cast<int64_t>(bits) >> 52);
  const double m = std::bit_cast<double>((bits & ((uint64_t{1} << 52) - 1)) + kSqrtHalf);
  const double s = (m - 1) / (m + 1);
  double series = 0;
  for (int k = 23; k >= 1; k -= 2) series = std::fma(series, s * s, 1.0 / k);
  return std::fma(2 * s * 0x1.71547652b82fep0, series, e);  // 1 / ln 2
}

// 2^t, infinite from 2^1024 on, 0 below 2^-1022: n = rne(t), then e^((t - n) ln 2) by its series up
// to the 13th power.
double exp2_of(double t) {
  if (t >= 1024) return kInfinity;
  if (t < -1022) return 0;
  constexpr double kRound = 0x1.8p52;
  const double n = t + kRound - kRound;
  const double r = (t - n) * 0x1.62e42fefa39efp-1;  // ln 2
  double series = 1;
  for (int k = 13; k >= 1; --k) series = std::fma(series, r / k, 1.0);
  // In two steps, for 2^1024 has no float64.
  const auto half = static_cast<int64_t>(n) / 2;
  const auto power = [](int64_t k) {
    return std::bit_cast<double>(static_cast<uint64_t>(1023 + k) << 52);
  };
  return series * power(half) * power(static_cast<int64_t>(n) - half);
}

// x^y = fl(2^(y log2 |x|)), signed as x when y is odd, in binary64 until the last rounding: within
// 0.501 ulp of float32, and |y log2 x| ulp of float64. The special cases are C's: x^0 = 1^y =
// (-1)^(+-inf) = 1; NaN when either is NaN, or x < 0 and y is no integer.
template <std::floating_point T>
T power(T x, T y) {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return x + y;
  const T a = std::fabs(y);
  // From here on, all floats are even.
  constexpr T kEven = std::is_same_v<T, float> ? T(0x1p24) : T(0x1p53);
  const bool whole = a >= kEven || static_cast<T>(static_cast<int64_t>(a)) == a;
  const bool odd = a < kEven && whole && (static_cast<int64_t>(a) & 1) != 0;
  if (x < 0 && !whole && !std::isinf(x)) return std::numeric_limits<T>::quiet_NaN();
  const double log = log2_of(static_cast<double>(std::fabs(x)));
  const T magnitude = log == 0 ? T(1) : static_cast<T>(exp2_of(static_cast<double>(y) * log));
  return std::signbit(x) && odd ? -magnitude : magnitude;
}

// Of integers: wraps; below one, which an exponent below 0 gives, 0.
template <std::integral T>
T power(T x, int64_t y) {
  if (y < 0) {
    const bool one = x == 1 || (x == static_cast<T>(-1) && std::signed_integral<T>);
    return one ? ((y & 1) != 0 ? x : T(1)) : T(0);
  }
  uint64_t result = 1;
  for (auto square = static_cast<uint64_t>(x); y > 0; y >>= 1, square *= square) {
    if ((y & 1) != 0) result *= square;
  }
  return static_cast<T>(result);
}

// Of an integer to a float: by integers when that is whole, else in binary64 and as Cast rounds.
template <std::integral T>
T power(T x, double y) {
  if (std::fabs(y) < 0x1p62 && static_cast<double>(static_cast<int64_t>(y)) == y) {
    return power(x, static_cast<int64_t>(y));
  }
  return to_integer<T>(power(static_cast<double>(x), y));
}

mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const mdl_dtype dtype = call.input_types[0].dtype;
  const mdl_dtype exponent = call.input_types[1].dtype;
  with_number(dtype, [&]<class Base>(Base) {
    with_number(exponent, [&]<class Exponent>(Exponent) {
      for_each_pair(call, [&](int64_t i, int64_t j, int64_t k) {
        const Base x = load_as<Base>(dtype, call.inputs[0], j);
        const Exponent y = load_as<Exponent>(exponent, call.inputs[1], k);
        if constexpr (std::floating_point<Base>) {
          store_as(dtype, call.outputs[0], i, power(x, static_cast<Base>(y)));
        } else if constexpr (std::floating_point<Exponent>) {
          store_as(dtype, call.outputs[0], i, power(x, static_cast<double>(y)));
        } else {
          store_as(dtype, call.outputs[0], i, power(x, static_cast<int64_t>(y)));
        }
      });
    });
  });
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
