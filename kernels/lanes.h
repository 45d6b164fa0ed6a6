// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_LANES_H_
#define MEDULLA_KERNELS_LANES_H_

#include "kernels/f32x1.h"

// Rows cut into vectors of any type, the last one perhaps in part.
namespace medulla {

// Calls block(i, count) for each vector's place; count is V::kWidth for all but the last.
template <class V, class Block>
static inline void each_place(size_t n, Block block) {
  size_t i = 0;
  for (; n - i >= V::kWidth; i += V::kWidth) block(i, V::kWidth);
  if (i < n) block(i, n - i);
}

// The first `count` lanes, or all where `count` is more.
template <class V>
static inline V load_lanes(const float* p, size_t count) {
  return count >= V::kWidth ? V::load(p) : V::load_part(p, count);
}
template <class V>
static inline void store_lanes(float* p, size_t count, V v) {
  count >= V::kWidth ? v.store(p) : v.store_part(p, count);
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_LANES_H_
