// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/blocks.h"
#include "kernels/x86_amx_s8.h"

namespace medulla {
namespace {

// Rows of whole steps are read where they are.
void run(const GemmS8& g, size_t m0, size_t m1, size_t n0, size_t n1, void* scratch) {
  if (depth_s8(kStepsS8, g.k) != g.k) {
    return GemmS8Blocks<BlocksS8>::run(g, m0, m1, n0, n1, scratch);
  }
  const void* const panels = BlocksS8::panels(g.b, g.k, n0);
  const size_t most = BlocksS8::block_rows(g.k);
  for (size_t m = m0; m < m1; m += most) {
    run_block_s8(g.c, m, n0, n1 - n0, panels,
                 {g.a + m * g.lda, m1 - m < most ? m1 - m : most, g.lda, g.k});
  }
}

}  // namespace

extern const GemmS8Kernel gemm_s8_32x32_amx_int8;
const GemmS8Kernel gemm_s8_32x32_amx_int8 = {BlocksS8::kRows,
                                             BlocksS8::kColumns,
                                             BlocksS8::packed_bytes,
                                             BlocksS8::pack,
                                             GemmS8Blocks<BlocksS8>::scratch_bytes,
                                             run,
                                             BlocksS8::run_block};

}  // namespace medulla
