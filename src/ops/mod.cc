// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <concepts>

#include "src/ops/binary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"fmod", MDL_ATTRIBUTE_INT}};

// What is left of a / b. With fmod the quotient is cut towards zero, the sign is that of a, and the
// result exact; without, it is rounded down, and where the sign is not that of b yet, b is added,
// with one rounding. Integers modulo 0 give 0.
struct Mod {
  static constexpr DtypeSet kTypes = kNumbers;
  explicit Mod(const NodeView& node) : fmod(node.int_or("fmod", 0) != 0) {}
  float operator()(float a, float b) const {
    return static_cast<float>((*this)(static_cast<double>(a), static_cast<double>(b)));
  }
  double operator()(double a, double b) const {
    const double rest = fmod_f64(a, b);
    if (fmod || rest != rest) return rest;
    if (rest == 0) return std::copysign(0.0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
  }
  template <std::integral T>
  T operator()(T a, T b) const {
    if (b == 0) return 0;
    if constexpr (std::signed_integral<T>) {
      if (b == -1) return 0;
      const T rest = a % b;
      return !fmod && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    return a % b;
  }
  bool fmod;
};

}  // namespace

extern const Op op_Mod = binary_op<Mod>("Mod", kAttributes);

}  // namespace medulla
