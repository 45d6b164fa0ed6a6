// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = whether x is NaN.
struct IsNaN {
  static constexpr DtypeSet kTypes = kFloats;
  template <std::floating_point T>
  int64_t operator()(T x) const {
    return x != x;
  }
};

}  // namespace

extern const Op op_IsNaN = predicate_op<IsNaN>("IsNaN");

}  // namespace medulla
