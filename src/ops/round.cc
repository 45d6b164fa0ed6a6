// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = rne(x), with the sign of x.
struct Round {
  static constexpr DtypeSet kTypes = kFloats;
  template <std::floating_point T>
  T operator()(T x) const {
    return std::copysign(std::nearbyint(x), x);
  }
};

}  // namespace

extern const Op op_Round = unary_op<Round>("Round");

}  // namespace medulla
