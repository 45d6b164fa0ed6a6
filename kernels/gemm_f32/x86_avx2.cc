// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/x86_avx2_gemm_f32.h"

namespace medulla {
namespace {

void run(const GemmF32& g, size_t m0, size_t m1, size_t n0, size_t n1) {
  BlockF32 block = {};
  block.b = static_cast<const float*>(g.b) + n0 * (g.k + 1);
  block.taps = 1;
  block.channels = g.k;
  block.ldc = g.ldc;
  block.ldr = g.ldr;
  block.columns = n1 - n0;
  block.lo = g.lo;
  block.hi = g.hi;
  block.go_on = g.go_on;
  const float* a[kBlockRows];
  for (size_t m = m0; m < m1; m += kBlockRows) {
    const size_t rows = m1 - m < kBlockRows ? m1 - m : kBlockRows;
    for (size_t i = 0; i < rows; ++i) a[i] = g.a + (m + i) * g.lda;
    block.c = g.c + m * g.ldc + n0;
    block.residual = g.residual != nullptr ? g.residual + m * g.ldr + n0 : nullptr;
    run_block_f32(block, a, rows);
  }
}

}  // namespace

extern const GemmF32Kernel gemm_f32_6x16_avx2;
const GemmF32Kernel gemm_f32_6x16_avx2 = {kTileRows, kTileColumns, run};

}  // namespace medulla
