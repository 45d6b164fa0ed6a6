// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_GEMM_F32_GEMM_F32_H_
#define MEDULLA_KERNELS_GEMM_F32_GEMM_F32_H_

#include <cstddef>
#include <span>

#include "kernels/row.h"

// C[m][n] = clamp(sum_k A[m][k] * B[k][n] + bias[n] (+ R[m][n])), ordered FP32:
//   acc = bias[n] + 0.0f                       -0 becomes +0; no bias: +0; to go on: C[m][n]
//   acc = fma(A[m][k], B[k][n], acc)           k ascending, one chain
//   acc = acc + R[m][n]                        if there is a residual
//   acc = lo > acc ? lo : acc; hi < acc ? hi : acc    keeps NaN; pass -inf, +inf for no clamp
// Equal bytes from every row, whatever the range of rows and columns of a call; of a NaN neither
// sign nor payload is promised. Nothing outside the tensors is read or written.
namespace medulla {

struct GemmF32Problem : KernelRequest {
  size_t m = 0;
  size_t n = 0;
  size_t k = 0;
};

struct GemmF32 {
  size_t n = 0;
  size_t k = 0;
  const float* a = nullptr;  // [m][lda], lda >= k floats
  size_t lda = 0;
  const void* b = nullptr;          // packed for the same kernel, aligned to kPackAlign
  const float* residual = nullptr;  // [m][ldr] or null; may be c itself (ldr == ldc)
  size_t ldr = 0;
  float* c = nullptr;  // [m][ldc], ldc >= n floats; overlaps neither a nor b
  size_t ldc = 0;
  float lo = 0;
  float hi = 0;
  bool go_on = false;  // chains that c has begun; without a residual
};

struct GemmF32Kernel {
  size_t mr;  // rows and columns of a tile: good places to split
  size_t nr;
  // Computes rows [m0, m1) and columns [n0, n1); n0 is a multiple of nr, n1 one too or n.
  void (*run)(const GemmF32& g, size_t m0, size_t m1, size_t n0, size_t n1);
};

using GemmF32Row = Row<GemmF32Kernel, GemmF32Problem>;
std::span<const GemmF32Row> gemm_f32_rows();

// Packed B: for each nr columns the nr biases, then k rows of nr weights; what lies past n is +0.
// B[k][n] is read from b[k * k_stride + n * n_stride] (floats); bias is null or has n entries.
// The packed bytes hold no pointers and depend on nr, n, k and the values alone.
size_t gemm_f32_packed_bytes(size_t nr, size_t n, size_t k);
void gemm_f32_pack(size_t nr, size_t n, size_t k, const float* b, size_t k_stride, size_t n_stride,
                   const float* bias, void* packed);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_GEMM_F32_GEMM_F32_H_
