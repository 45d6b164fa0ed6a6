// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = ~x.
struct BitwiseNot {
  static constexpr DtypeSet kTypes = kIntegers;
  template <std::integral T>
  T operator()(T x) const {
    return ~x;
  }
};

}  // namespace

extern const Op op_BitwiseNot = unary_op<BitwiseNot>("BitwiseNot");

}  // namespace medulla
