// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_ROW_SUM_H_
#define MEDULLA_SRC_OPS_ROW_SUM_H_

#include <cstdint>

namespace medulla {

// The order in which sums over a row are taken, that of vectors: 16 partial sums from +0, value k
// goes to partial k mod 16; at the end partial i takes i + 8, then i + 4, i + 2, i + 1.
template <class T>
class RowSumOf {
 public:
  void add(T value) {
    partials_[next_] += value;
    next_ = (next_ + 1) % 16;
  }

  T total() {
    for (uint32_t half = 8; half > 0; half /= 2) {
      for (uint32_t i = 0; i < half; ++i) partials_[i] += partials_[i + half];
    }
    return partials_[0];
  }

 private:
  T partials_[16] = {};
  uint32_t next_ = 0;
};
using RowSum = RowSumOf<float>;

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_ROW_SUM_H_
