// SPDX-License-Identifier: Apache-2.0
// Elements of any dtype as numbers.
#ifndef MEDULLA_SRC_OPS_NUMBER_H_
#define MEDULLA_SRC_OPS_NUMBER_H_

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>

#include "medulla/medulla.h"

namespace medulla {

// IEEE-like floats of 16 bits, E of them for the exponent and M for the fraction: <5, 10> is
// float16, <8, 7> bfloat16.
template <int E, int M>
struct SmallFloat {
  static constexpr int kBias = (1 << (E - 1)) - 1;
  static constexpr uint16_t kInfinity = ((1 << E) - 1) << M;

  // Exact.
  static double widen(uint16_t bits) {
    const int exponent = (bits & kInfinity) >> M;
    const int fraction = bits & ((1 << M) - 1);
    double value;
    if (exponent == (1 << E) - 1) {
      value = fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                            : std::numeric_limits<double>::infinity();
    } else {
      const int power = (exponent > 0 ? exponent : 1) - kBias - M;
      value = (exponent > 0 ? fraction + (1 << M) : fraction) *
              std::bit_cast<double>(static_cast<uint64_t>(1023 + power) << 52);
    }
    return bits >> 15 != 0 ? -value : value;
  }

  // One rounding, to nearest even; subnormals are kept, a NaN becomes the quiet one.
  static uint16_t narrow(double value) {
    const uint64_t bits = std::bit_cast<uint64_t>(value);
    const auto sign = static_cast<uint16_t>(bits >> 63 << 15);
    const int exponent = static_cast<int>(bits >> 52 & 0x7FF) - 1023;
    if (value != value) return kInfinity | 1 << (M - 1);
    if (exponent > kBias) return sign | kInfinity;
    const int below = exponent < 1 - kBias ? 1 - kBias - exponent : 0;
    const int shift = 52 - M + below;
    if (shift > 53) return sign;
    const uint64_t significand = (bits & ((uint64_t{1} << 52) - 1)) | uint64_t{1} << 52;
    const uint64_t rest = significand & ((uint64_t{1} << shift) - 1);
    const uint64_t half = uint64_t{1} << (shift - 1);
    uint64_t kept = significand >> shift;
    kept += rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0;
    // The leading one of a normal number, or of a carry, steps the exponent up.
    const int field = below > 0 ? 0 : exponent + kBias - 1;
    return static_cast<uint16_t>(sign | ((static_cast<uint64_t>(field) << M) + kept));
  }
};
using Float16 = SmallFloat<5, 10>;
using Bfloat16 = SmallFloat<8, 7>;

// Calls use(number) with element i widened, without loss, to int64_t, uint64_t or double. The dtype
// has elements of whole bytes.
template <class Use>
void load_number(mdl_dtype dtype, const void* x, int64_t i, Use use) {
  const auto at = [&]<class T>(T) { return static_cast<const T*>(x)[i]; };
  switch (dtype) {
    case MDL_BOOL:
      return use(int64_t{at(uint8_t{}) != 0});
    case MDL_INT8:
      return use(int64_t{at(int8_t{})});
    case MDL_UINT8:
      return use(int64_t{at(uint8_t{})});
    case MDL_INT16:
      return use(int64_t{at(int16_t{})});
    case MDL_UINT16:
      return use(int64_t{at(uint16_t{})});
    case MDL_INT32:
      return use(int64_t{at(int32_t{})});
    case MDL_UINT32:
      return use(int64_t{at(uint32_t{})});
    case MDL_INT64:
      return use(at(int64_t{}));
    case MDL_UINT64:
      return use(at(uint64_t{}));
    case MDL_FLOAT16:
      return use(Float16::widen(at(uint16_t{})));
    case MDL_BFLOAT16:
      return use(Bfloat16::widen(at(uint16_t{})));
    case MDL_FLOAT32:
      return use(double{at(float{})});
    default:
      return use(at(double{}));
  }
}

// Integers wrap; floats are cut towards zero and saturate, NaN gives 0.
template <std::integral T, class Number>
T to_integer(Number value) {
  if constexpr (std::integral<Number>) {
    return static_cast<T>(value);
  } else {
    using Limits = std::numeric_limits<T>;
    if (value != value) return 0;
    if (value <= static_cast<double>(Limits::min())) return Limits::min();
    // The greatest integers of 64 bits round up to a power of two, which is out of range.
    return value >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(value);
  }
}

// The other way. A float takes one rounding, to nearest even; from 64-bit integers to float16 and
// bfloat16 there is one to float64 before it. bool is value != 0.
template <class Number>
void store_number(mdl_dtype dtype, void* y, int64_t i, Number value) {
  const auto put = [&]<class T>(T v) { static_cast<T*>(y)[i] = v; };
  switch (dtype) {
    case MDL_BOOL:
      return put(static_cast<uint8_t>(value != 0));
    case MDL_INT8:
      return put(to_integer<int8_t>(value));
    case MDL_UINT8:
      return put(to_integer<uint8_t>(value));
    case MDL_INT16:
      return put(to_integer<int16_t>(value));
    case MDL_UINT16:
      return put(to_integer<uint16_t>(value));
    case MDL_INT32:
      return put(to_integer<int32_t>(value));
    case MDL_UINT32:
      return put(to_integer<uint32_t>(value));
    case MDL_INT64:
      return put(to_integer<int64_t>(value));
    case MDL_UINT64:
      return put(to_integer<uint64_t>(value));
    case MDL_FLOAT16:
      return put(Float16::narrow(static_cast<double>(value)));
    case MDL_BFLOAT16:
      return put(Bfloat16::narrow(static_cast<double>(value)));
    case MDL_FLOAT32:
      return put(static_cast<float>(value));
    default:
      return put(static_cast<double>(value));
  }
}

// The types that arithmetic is done in, by dtype: float for float32, float16 and bfloat16, double
// for float64, uint64_t and int64_t for integers; bool is 0 or 1 of int64_t. Calls use(Number()).
template <class Use>
auto with_number(mdl_dtype dtype, Use use) {
  switch (dtype) {
    // NOLINTNEXTLINE(bugprone-branch-clone): the branches differ in a type.
    case MDL_FLOAT16:
    case MDL_BFLOAT16:
    case MDL_FLOAT32:
      return use(float());
    case MDL_FLOAT64:
      return use(double());
    case MDL_UINT8:
    case MDL_UINT16:
    case MDL_UINT32:
    case MDL_UINT64:
      return use(uint64_t());
    default:
      return use(int64_t());
  }
}

// Element i as the Number of its dtype, and back: integers wrap, floats take one rounding.
template <class Number>
Number load_as(mdl_dtype dtype, const void* x, int64_t i);
template <class Number>
void store_as(mdl_dtype dtype, void* y, int64_t i, Number value);

// Calls use(load) for elements of `x`: load(i) is element i as its Number, without a detour for
// float32.
template <class Use>
void with_elements(mdl_dtype dtype, const void* x, Use use) {
  if (dtype == MDL_FLOAT32) {
    const auto* values = static_cast<const float*>(x);
    return use([=](int64_t i) { return values[i]; });
  }
  with_number(dtype, [&]<class Number>(Number) {
    use([=](int64_t i) { return load_as<Number>(dtype, x, i); });
  });
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_NUMBER_H_
