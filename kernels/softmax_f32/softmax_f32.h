// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_SOFTMAX_F32_SOFTMAX_F32_H_
#define MEDULLA_KERNELS_SOFTMAX_F32_SOFTMAX_F32_H_

#include <cstddef>
#include <span>

#include "kernels/row.h"

// Over rows x[0..n), ordered FP32:
//   m = max_k x[k], NaN if any is
//   s = sum_k exp(x[k] - m) as row_sum.h takes it; exp and log are those of elementwise_f32
//   softmax:     y[k] = exp(x[k] - m) / s
//   log_softmax: y[k] = (x[k] - m) - log(s)
// Equal bytes from every row; of a NaN neither sign nor payload is promised. y may be x (with its
// strides), else they do not overlap. Nothing outside the rows is read or written.
namespace medulla {

// Row (r, i), r below `rows`, i below `inner`, has its element k at x[r * x_stride + k * inner +
// i], likewise y: inner is 1 for rows that lie together, else what stands behind the axis.
struct SoftmaxF32 {
  size_t rows = 0;
  size_t n = 0;
  size_t inner = 1;
  const float* x = nullptr;
  size_t x_stride = 0;  // floats, at least n * inner
  float* y = nullptr;
  size_t y_stride = 0;
};

struct SoftmaxF32Kernel {
  void (*softmax)(const SoftmaxF32& a);
  void (*log_softmax)(const SoftmaxF32& a);
};

using SoftmaxF32Row = Row<SoftmaxF32Kernel, KernelRequest>;
std::span<const SoftmaxF32Row> softmax_f32_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_SOFTMAX_F32_SOFTMAX_F32_H_
