// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_WINOGRAD_S8_TRANSFORMS_H_
#define MEDULLA_KERNELS_WINOGRAD_S8_TRANSFORMS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/winograd_s8/winograd_s8.h"

// The transforms of winograd_s8.h in one dimension, over any type with +, - and times<power of
// two>.
namespace medulla {

constexpr uint32_t kInverseOf9 = 954437177;  // times 9 is 1 modulo 2^32
constexpr int kShiftWinograd = 6;

// y = B^T x:
//   4  0 -5  0  1  0
//   0  4  4 -1 -1  0
//   0  4 -4 -1  1  0
//   0 -2 -1  2  1  0
//   0  2 -1 -2  1  0
//   0  4  0 -5  0  1
template <class T>
static inline void transform_input(const T (&x)[kSideWinograd], T (&y)[kSideWinograd]) {
  const T p = times<4>(x[2]) - x[4];
  const T q = times<4>(x[1]) - x[3];
  const T c = x[4] - x[2];
  const T e = x[3] - x[1];
  const T d = times<2>(e);
  y[0] = times<4>(x[0] - x[2]) + c;
  y[1] = p + q;
  y[2] = q - p;
  y[3] = c + d;
  y[4] = c - d;
  y[5] = x[5] - x[3] - times<4>(e);
}

// Row kRow of u = G g; `g` gives an entry of g:
//   1  0  0
//   1  1  1
//  -1  1 -1
//   1  2  4
//   1 -2  4
//   0  0  1
template <size_t kRow, class Get>
static inline auto transform_weight(const Get& g) {
  if constexpr (kRow == 0) return g(0);
  if constexpr (kRow == 1) return g(0) + g(2) + g(1);
  if constexpr (kRow == 2) return g(1) - (g(0) + g(2));
  if constexpr (kRow == 3) return g(0) + times<4>(g(2)) + times<2>(g(1));
  if constexpr (kRow == 4) return g(0) + times<4>(g(2)) - times<2>(g(1));
  if constexpr (kRow == 5) return g(2);
}

template <class T>
static inline void transform_weights(const T (&g)[3], T (&u)[kSideWinograd]) {
  const auto at = [&](size_t i) { return g[i]; };
  u[0] = transform_weight<0>(at);
  u[1] = transform_weight<1>(at);
  u[2] = transform_weight<2>(at);
  u[3] = transform_weight<3>(at);
  u[4] = transform_weight<4>(at);
  u[5] = transform_weight<5>(at);
}

// y = A^T z, modulo 2^32:
//   6  4  4  1  1  0
//   0  4 -4  2 -2  0
//   0  4  4  4  4  0
//   0  4 -4  8 -8 24
template <class T>
static inline void transform_output(const T (&z)[kSideWinograd], T (&y)[kTileWinograd]) {
  const T p = z[1] + z[2];
  const T q = z[1] - z[2];
  const T r = z[3] + z[4];
  const T s = times<2>(z[3] - z[4]);
  const T z5 = times<2>(z[5]);
  y[0] = times<4>(z[0] + p) + times<2>(z[0]) + r;
  y[1] = times<4>(q) + s;
  y[2] = times<4>(p + r);
  y[3] = times<4>(q + s + z5 + times<2>(z5));
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_WINOGRAD_S8_TRANSFORMS_H_
