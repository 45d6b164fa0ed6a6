// SPDX-License-Identifier: Apache-2.0
#include "src/ops/binary.h"

namespace medulla {
namespace {

// The smaller; b when they compare equal; NaN when either is.
struct Min {
  static constexpr DtypeSet kTypes = kNumbers;
  float operator()(float a, float b) const { return min_f32(a, b); }
  template <class T>
  T operator()(T a, T b) const {
    return a != a || a < b ? a : b;
  }
};

}  // namespace

extern const Op op_Min = binary_op<Min>("Min");

}  // namespace medulla
