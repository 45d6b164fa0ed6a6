// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_ORDER_H_
#define MEDULLA_SRC_OPS_ORDER_H_

#include <type_traits>

#include "src/ops/number.h"

namespace medulla {

// Below, equal or above zero, as element i of x is less than, equal to or greater than element j. A
// NaN is greater than every number and equal to every NaN.
inline int compare_elements(mdl_dtype dtype, const void* x, int64_t i, int64_t j) {
  int order = 0;
  load_number(dtype, x, i, [&]<class A>(A a) {
    load_number(dtype, x, j, [&]<class B>(B b) {
      if constexpr (std::is_same_v<A, B>) {
        const bool a_nan = a != a;
        const bool b_nan = b != b;
        order = a_nan || b_nan ? a_nan - b_nan : (a > b) - (a < b);
      }
    });
  });
  return order;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_ORDER_H_
