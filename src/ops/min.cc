// SPDX-License-Identifier: Apache-2.0
#include "src/ops/binary.h"

namespace medulla {
namespace {

// The smaller; b when they compare equal; NaN when either is.
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

}  // namespace

extern const Op op_Min = binary_op<Min>("Min");

}  // namespace medulla
