// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/reduce.h"

namespace medulla {
namespace {

// The least value, NaN if there is one; of +0 and -0 the first; of nothing the greatest of the
// type.
template <class T>
struct Min {
  static constexpr double kOfNothing = std::numeric_limits<double>::infinity();
  using Limits = std::numeric_limits<T>;
  T value = Limits::has_infinity ? Limits::infinity() : Limits::max();
  void add(T v) {
    if constexpr (std::same_as<T, float>) {
      value = min_f32(v, value);
    } else {
      value = v != v || v < value ? v : value;
    }
  }
  T result(int64_t) const { return value; }
};

}  // namespace

extern const Op op_ReduceMin = reduce_op<Min, kNumbers | kBool>("ReduceMin");

}  // namespace medulla
