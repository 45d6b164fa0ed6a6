// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = -x, the sign bit flipped; integers wrap.
struct Neg {
  static constexpr DtypeSet kTypes = kNumbers;
  template <class T>
  T operator()(T x) const {
    if constexpr (std::floating_point<T>) {
      return -x;
    } else {
      return static_cast<T>(0 - static_cast<uint64_t>(x));
    }
  }
};

}  // namespace

extern const Op op_Neg = unary_op<Neg>("Neg");

}  // namespace medulla
