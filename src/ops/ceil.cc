// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = the least integer that is not below x.
struct Ceil {
  static constexpr DtypeSet kTypes = kFloats;
  template <std::floating_point T>
  T operator()(T x) const {
    return std::ceil(x);
  }
};

}  // namespace

extern const Op op_Ceil = unary_op<Ceil>("Ceil");

}  // namespace medulla
