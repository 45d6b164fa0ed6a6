// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ADD_S8_ROWS_H_
#define MEDULLA_KERNELS_ADD_S8_ROWS_H_

#include "kernels/add_s8/add_s8.h"
#include "kernels/quantize.h"

// The kernel of this family over any vector type.
namespace medulla {

template <class V, bool one>
static void add_row(const AddS8& p, const int8_t* a, const int8_t* b, int8_t* y, size_t n) {
  const QuantizeF32 q = quantize_f32(p.zero_point, p.min, p.max);
  const V z_a = V::all(static_cast<float>(p.zero_point_a));
  const V z_b = V::all(static_cast<float>(p.zero_point_b));
  const V k_a = V::all(p.k_a);
  const V k_b = V::all(p.k_b);
  const V fixed = one ? (V::all(*b) - z_b) * k_b : V::all(0);
  store_quantized<V>(n, q, 0, y, [=](size_t i, size_t count) {
    const V left = (load_s8<V>(a + i, 0, count) - z_a) * k_a;
    const V right = one ? fixed : (load_s8<V>(b + i, 0, count) - z_b) * k_b;
    return left + right;
  });
}

template <class V>
static constexpr AddS8Kernel make_add_s8() {
  return {add_row<V, false>, add_row<V, true>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ADD_S8_ROWS_H_
