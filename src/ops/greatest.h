// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_GREATEST_H_
#define MEDULLA_SRC_OPS_GREATEST_H_

#include <concepts>
#include <limits>

#include "kernels/elementwise_f32/scalar.h"

namespace medulla {

// The greatest of values in order: NaN if there is one, of +0 and -0 the first; of nothing the
// least value of the type.
template <class T>
class Greatest {
 public:
  // Whether v took the place of the value.
  bool add(T v) {
    if constexpr (std::floating_point<T>) {
      const bool taken = !(v <= value_) && value_ == value_;
      if constexpr (std::same_as<T, float>) {
        value_ = max_f32(v, value_);
      } else if (taken) {
        value_ = v;
      }
      return taken;
    } else {
      const bool taken = v > value_;
      if (taken) value_ = v;
      return taken;
    }
  }
  T value() const { return value_; }

 private:
  using Limits = std::numeric_limits<T>;
  T value_ = Limits::has_infinity ? -Limits::infinity() : Limits::min();
};

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_GREATEST_H_
