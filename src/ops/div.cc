// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/binary.h"

namespace medulla {
namespace {

// fl(a / b). Integers are cut towards zero; a / 0 is 0, and the least one / -1, which overflows, is
// itself.
struct Div {
  static constexpr DtypeSet kTypes = kNumbers;
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::integral<T>) {
      if (b == 0) return 0;
      if (std::signed_integral<T> && b == static_cast<T>(-1)) {
        return static_cast<T>(0 - static_cast<uint64_t>(a));
      }
    }
    return a / b;
  }
};

}  // namespace

extern const Op op_Div = binary_op<Div>("Div");

}  // namespace medulla
