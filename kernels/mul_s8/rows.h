// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_MUL_S8_ROWS_H_
#define MEDULLA_KERNELS_MUL_S8_ROWS_H_

#include "kernels/mul_s8/mul_s8.h"
#include "kernels/quantize.h"

// The kernel of this family over any vector type.
namespace medulla {

template <class V, bool one>
static void mul_row(const MulS8& p, const int8_t* a, const int8_t* b, int8_t* y, size_t n) {
  const QuantizeF32 q = quantize_f32(p.zero_point, p.min, p.max);
  const V z_a = V::all(static_cast<float>(p.zero_point_a));
  const V z_b = V::all(static_cast<float>(p.zero_point_b));
  const V k = V::all(p.k);
  const V fixed = one ? V::all(*b) - z_b : V::all(0);
  store_quantized<V>(n, q, 0, y, [=](size_t i, size_t count) {
    const V left = load_s8<V>(a + i, 0, count) - z_a;
    const V right = one ? fixed : load_s8<V>(b + i, 0, count) - z_b;
    return left * right * k;
  });
}

template <class V>
static constexpr MulS8Kernel make_mul_s8() {
  return {mul_row<V, false>, mul_row<V, true>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_MUL_S8_ROWS_H_
