// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <type_traits>

#include "src/ops/binary.h"

namespace medulla {
namespace {

// fl(a + b); integers wrap.
struct Add {
  float operator()(float a, float b) const { return a + b; }
  template <std::signed_integral T>
  T operator()(T a, T b) const {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  }
};

}  // namespace

extern const Op op_Add = binary_op<Add>("Add");

}  // namespace medulla
