// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/binary.h"

namespace medulla {
namespace {

// a ^ b.
struct BitwiseXor {
  static constexpr DtypeSet kTypes = kIntegers;
  template <std::integral T>
  T operator()(T a, T b) const {
    return a ^ b;
  }
};

}  // namespace

extern const Op op_BitwiseXor = binary_op<BitwiseXor>("BitwiseXor");

}  // namespace medulla
