// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <concepts>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = |x|, the sign bit cleared; of the least integer itself.
struct Abs {
  static constexpr DtypeSet kTypes = kNumbers;
  template <class T>
  T operator()(T x) const {
    if constexpr (std::floating_point<T>) {
      return std::fabs(x);
    } else {
      return x < 0 ? static_cast<T>(0 - static_cast<uint64_t>(x)) : x;
    }
  }
};

}  // namespace

extern const Op op_Abs = unary_op<Abs>("Abs");

}  // namespace medulla
