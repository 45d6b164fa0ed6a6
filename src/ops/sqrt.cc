// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = sqrt(x), correctly rounded; NaN below zero.
struct Sqrt {
  static constexpr DtypeSet kTypes = kFloats;
  template <std::floating_point T>
  T operator()(T x) const {
    return std::sqrt(x);
  }
};

}  // namespace

extern const Op op_Sqrt = unary_op<Sqrt>("Sqrt");

}  // namespace medulla
