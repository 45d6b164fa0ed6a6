// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = fl(1 / x).
struct Reciprocal {
  static constexpr DtypeSet kTypes = kFloats;
  template <std::floating_point T>
  T operator()(T x) const {
    return 1 / x;
  }
};

}  // namespace

extern const Op op_Reciprocal = unary_op<Reciprocal>("Reciprocal");

}  // namespace medulla
