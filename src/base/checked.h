// SPDX-License-Identifier: Apache-2.0
// Arithmetic on sizes that says when it overflows.
#ifndef MEDULLA_SRC_BASE_CHECKED_H_
#define MEDULLA_SRC_BASE_CHECKED_H_

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace medulla {

template <std::integral T>
[[nodiscard]] bool checked_add(T a, T b, T* sum) {
  return !__builtin_add_overflow(a, b, sum);
}

template <std::integral T>
[[nodiscard]] bool checked_mul(T a, T b, T* product) {
  return !__builtin_mul_overflow(a, b, product);
}

// `alignment` is a power of two; `value` is far from the end of its range.
constexpr size_t align_up(size_t value, size_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_CHECKED_H_
