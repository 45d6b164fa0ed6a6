// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = -1, 0 or 1, x itself when it is NaN or zero.
struct Sign {
  static constexpr DtypeSet kTypes = kNumbers;
  template <class T>
  T operator()(T x) const {
    return x > 0 ? T(1) : x < 0 ? static_cast<T>(-1) : x;
  }
};

}  // namespace

extern const Op op_Sign = unary_op<Sign>("Sign");

}  // namespace medulla
