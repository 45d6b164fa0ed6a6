// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <limits>
#include <type_traits>

#include "src/ops/reduce.h"
#include "src/ops/row_sum.h"

namespace medulla {
namespace {

// fl(sum / count), the sum as RowSum takes it; of integers cut towards zero, of nothing NaN, or 0.
template <class T>
struct Mean {
  static constexpr double kOfNothing = std::numeric_limits<double>::quiet_NaN();
  using Total = std::conditional_t<std::integral<T>, uint64_t, T>;
  RowSumOf<Total> sum;
  void add(T value) { sum.add(static_cast<Total>(value)); }
  T result(int64_t count) { return static_cast<T>(sum.total()) / static_cast<T>(count); }
};

}  // namespace

extern const Op op_ReduceMean = reduce_op<Mean>("ReduceMean");

}  // namespace medulla
