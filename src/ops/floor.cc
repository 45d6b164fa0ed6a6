// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = the greatest integer that is not above x.
struct Floor {
  static constexpr DtypeSet kTypes = kFloats;
  template <std::floating_point T>
  T operator()(T x) const {
    return std::floor(x);
  }
};

}  // namespace

extern const Op op_Floor = unary_op<Floor>("Floor");

}  // namespace medulla
