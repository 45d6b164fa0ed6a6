// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/binary.h"

namespace medulla {
namespace {

// fl(a - b); integers wrap.
struct Sub {
  static constexpr DtypeSet kTypes = kNumbers;
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::floating_point<T>) {
      return a - b;
    } else {
      return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
    }
  }
};

}  // namespace

extern const Op op_Sub = binary_op<Sub>("Sub");

}  // namespace medulla
