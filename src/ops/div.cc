// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <limits>

#include "src/ops/binary.h"

namespace medulla {
namespace {

// fl(a / b). Integers are cut towards zero; a / 0 is 0, and min / -1, which overflows, is min.
struct Div {
  float operator()(float a, float b) const { return a / b; }
  template <std::signed_integral T>
  T operator()(T a, T b) const {
    if (b == 0) return 0;
    return b == -1 && a == std::numeric_limits<T>::min() ? a : static_cast<T>(a / b);
  }
};

}  // namespace

extern const Op op_Div = binary_op<Div>("Div");

}  // namespace medulla
