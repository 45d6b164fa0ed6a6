// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_POOL_F32_POOL_F32_H_
#define MEDULLA_KERNELS_POOL_F32_POOL_F32_H_

#include <cstddef>
#include <span>

#include "kernels/pool.h"
#include "kernels/row.h"

// Pools over NHWC and reductions, ordered FP32: equal bytes from every row, whatever the range; of
// a NaN neither sign nor payload is promised. Outputs overlap no inputs. Nothing outside the
// tensors is read or written.
namespace medulla {

struct PoolF32 {
  PoolGeometry pool;
  const float* in = nullptr;
  size_t in_stride = 0;  // floats from pixel to pixel, at least the channels
  float* out = nullptr;
  size_t out_stride = 0;
};

struct ReduceF32 {
  size_t outer = 0;
  size_t n = 0;  // values of a sum
  size_t inner = 1;
  const float* x = nullptr;  // x[o * outer_stride + k * stride + i], k below n, i below inner
  size_t outer_stride = 0;
  size_t stride = 1;
  float* y = nullptr;  // y[o * inner + i]
};

struct PoolF32Kernel {
  // Output pixels [begin, end), counted through rows and images.
  // The greatest value of the window, NaN if it has one; of +0 and -0 the first.
  void (*max)(const PoolF32& a, size_t begin, size_t end);
  // The window's values added one by one to +0 in the order ky, kx, padding left out; one division
  // by the count.
  void (*average)(const PoolF32& a, size_t begin, size_t end);
  // sum_k x[o][k][i] as row_sum.h takes it.
  void (*sum)(const ReduceF32& a);
  // That, and one division by n.
  void (*mean)(const ReduceF32& a);
};

using PoolF32Row = Row<PoolF32Kernel, KernelRequest>;
std::span<const PoolF32Row> pool_f32_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_POOL_F32_POOL_F32_H_
