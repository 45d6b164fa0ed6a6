// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <type_traits>

#include "src/ops/reduce.h"

namespace medulla {
namespace {

// The chain y = fl(y * x) from 1, values in order; integers wrap.
template <class T>
struct Product {
  static constexpr double kOfNothing = 1;
  using Total = std::conditional_t<std::integral<T>, uint64_t, T>;
  Total product = 1;
  void add(T value) { product *= static_cast<Total>(value); }
  T result(int64_t) const { return static_cast<T>(product); }
};

}  // namespace

extern const Op op_ReduceProd = reduce_op<Product>("ReduceProd");

}  // namespace medulla
