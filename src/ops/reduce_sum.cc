// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <type_traits>

#include "src/ops/reduce.h"
#include "src/ops/row_sum.h"

namespace medulla {
namespace {

// The sum as RowSum takes it; integers wrap; of nothing 0.
template <class T>
struct Sum {
  static constexpr double kOfNothing = 0;
  using Total = std::conditional_t<std::integral<T>, uint64_t, T>;
  RowSumOf<Total> sum;
  void add(T value) { sum.add(static_cast<Total>(value)); }
  T result(int64_t) { return static_cast<T>(sum.total()); }
};

}  // namespace

extern const Op op_ReduceSum = reduce_op<Sum>("ReduceSum");

}  // namespace medulla
