// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/binary.h"

namespace medulla {
namespace {

// The greater; b when they compare equal; NaN when either is.
struct Max {
  float operator()(float a, float b) const { return max_f32(a, b); }
  template <std::signed_integral T>
  T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

}  // namespace

extern const Op op_Max = binary_op<Max>("Max");

}  // namespace medulla
