// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ELEMENTWISE_F32_ELEMENTWISE_F32_H_
#define MEDULLA_KERNELS_ELEMENTWISE_F32_ELEMENTWISE_F32_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// Functions of one and of two floats over n of them. Ordered: equal bytes from every row, wherever
// a value stands; of a NaN neither sign nor payload is promised. An output may be one of the inputs
// itself, else it overlaps none. Nothing outside the n elements is read or written. What each
// function computes, and its error, stands in functions.h.
namespace medulla {

enum class UnaryF32 : uint8_t {  // with parameters a and b
  abs = 0,
  neg = 1,
  reciprocal = 2,  // 1 / x
  sqrt = 3,
  exp = 4,
  log = 5,
  erf = 6,
  sigmoid = 7,
  tanh = 8,
  clip = 9,         // to [a, b]; Relu is [0, +inf]
  leaky_relu = 10,  // alpha a
  elu = 11,         // alpha a
  gelu = 12,
  gelu_tanh = 13,
  swish = 14,
  hard_sigmoid = 15,  // alpha a, beta b
  hard_swish = 16,
  softplus = 17,
  softsign = 18,
};
constexpr size_t kUnaryF32Count = 19;

enum class BinaryF32 : uint8_t {
  add = 0,
  sub = 1,
  mul = 2,
  div = 3,
  max = 4,  // NaN if either is; b where they are equal
  min = 5,
};
constexpr size_t kBinaryF32Count = 6;

// Which operand is one value for all n.
enum class BroadcastF32 : uint8_t {
  none = 0,
  a = 1,
  b = 2,
};
constexpr size_t kBroadcastF32Count = 3;

struct ElementwiseF32Kernel {
  // y[i] = f(x[i]).
  using Unary = void (*)(const float* x, float* y, size_t n, float a, float b);
  // y[i] = clip(f(a[i], b[i]), lo, hi); pass -inf, +inf for no clamp.
  using Binary = void (*)(const float* a, const float* b, float* y, size_t n, float lo, float hi);

  Unary unary[kUnaryF32Count];                         // [UnaryF32]
  Binary binary[kBinaryF32Count][kBroadcastF32Count];  // [BinaryF32][BroadcastF32]
};

using ElementwiseF32Row = Row<ElementwiseF32Kernel, KernelRequest>;
std::span<const ElementwiseF32Row> elementwise_f32_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ELEMENTWISE_F32_ELEMENTWISE_F32_H_
