// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ELEMENTWISE_F32_ROWS_H_
#define MEDULLA_KERNELS_ELEMENTWISE_F32_ROWS_H_

#include <utility>

#include "kernels/elementwise_f32/elementwise_f32.h"
#include "kernels/elementwise_f32/functions.h"

// The kernel of this family over any vector type. Everything is static: each row has its own.
namespace medulla {

template <UnaryF32 f, class V>
static inline V apply(V x, V a, V b) {
  using Is = UnaryF32;
  if constexpr (f == Is::abs) return abs(x);
  if constexpr (f == Is::neg) return -x;
  if constexpr (f == Is::reciprocal) return V::all(1) / x;
  if constexpr (f == Is::sqrt) return sqrt(x);
  if constexpr (f == Is::exp) return functions::exp(x);
  if constexpr (f == Is::log) return functions::log(x);
  if constexpr (f == Is::erf) return functions::erf(x);
  if constexpr (f == Is::sigmoid) return functions::sigmoid(x);
  if constexpr (f == Is::tanh) return functions::tanh(x);
  if constexpr (f == Is::clip) return functions::clip(x, a, b);
  if constexpr (f == Is::leaky_relu) return functions::leaky_relu(x, a);
  if constexpr (f == Is::elu) return functions::elu(x, a);
  if constexpr (f == Is::gelu) return functions::gelu(x);
  if constexpr (f == Is::gelu_tanh) return functions::gelu_tanh(x);
  if constexpr (f == Is::swish) return functions::swish(x);
  if constexpr (f == Is::hard_sigmoid) return functions::hard_sigmoid(x, a, b);
  if constexpr (f == Is::hard_swish) return functions::hard_swish(x);
  if constexpr (f == Is::softplus) return functions::softplus(x);
  if constexpr (f == Is::softsign) return functions::softsign(x);
}

template <BinaryF32 f, class V>
static inline V apply(V a, V b) {
  using Is = BinaryF32;
  if constexpr (f == Is::add) return a + b;
  if constexpr (f == Is::sub) return a - b;
  if constexpr (f == Is::mul) return a * b;
  if constexpr (f == Is::div) return a / b;
  if constexpr (f == Is::max) return functions::max_nan(a, b);
  if constexpr (f == Is::min) return functions::min_nan(a, b);
}

// Calls block(i, load, store) for each vector, load(p) reading p[i...] and store(p, v) writing it.
template <class V, class Block>
static inline void each_vector(size_t n, Block block) {
  size_t i = 0;
  for (; n - i >= V::kWidth; i += V::kWidth) {
    block([i](const float* p) { return V::load(p + i); }, [i](float* p, V v) { v.store(p + i); });
  }
  const size_t left = n - i;
  if (left == 0) return;
  block([i, left](const float* p) { return V::load_part(p + i, left); },
        [i, left](float* p, V v) { v.store_part(p + i, left); });
}

template <class V, UnaryF32 f>
static void unary_row(const float* x, float* y, size_t n, float a, float b) {
  const V va = V::all(a);
  const V vb = V::all(b);
  each_vector<V>(n, [=](auto load, auto store) { store(y, apply<f>(load(x), va, vb)); });
}

template <class V, BinaryF32 f, BroadcastF32 one>
static void binary_row(const float* a, const float* b, float* y, size_t n, float lo, float hi) {
  const V va = V::all(one == BroadcastF32::a ? *a : 0);
  const V vb = V::all(one == BroadcastF32::b ? *b : 0);
  const V vlo = V::all(lo);
  const V vhi = V::all(hi);
  each_vector<V>(n, [=](auto load, auto store) {
    const V left = one == BroadcastF32::a ? va : load(a);
    const V right = one == BroadcastF32::b ? vb : load(b);
    store(y, functions::clip(apply<f>(left, right), vlo, vhi));
  });
}

template <class V, size_t... unary, size_t... binary>
static constexpr ElementwiseF32Kernel make_elementwise_f32(std::index_sequence<unary...>,
                                                           std::index_sequence<binary...>) {
  return {{unary_row<V, UnaryF32{unary}>...},
          {{binary_row<V, BinaryF32{binary}, BroadcastF32::none>,
            binary_row<V, BinaryF32{binary}, BroadcastF32::a>,
            binary_row<V, BinaryF32{binary}, BroadcastF32::b>}...}};
}

template <class V>
static constexpr ElementwiseF32Kernel make_elementwise_f32() {
  return make_elementwise_f32<V>(std::make_index_sequence<kUnaryF32Count>(),
                                 std::make_index_sequence<kBinaryF32Count>());
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ELEMENTWISE_F32_ROWS_H_
