// SPDX-License-Identifier: Apache-2.0
#include "src/ops/binary.h"

namespace medulla {
namespace {

// a >= b; false when either is NaN.
struct GreaterOrEqual {
  static constexpr DtypeSet kTypes = kNumbers;
  template <class T>
  int64_t operator()(T a, T b) const {
    return a >= b;
  }
};

}  // namespace

extern const Op op_GreaterOrEqual = comparison_op<GreaterOrEqual>("GreaterOrEqual");

}  // namespace medulla
