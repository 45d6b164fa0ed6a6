// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/x86_avx2_s8.h"

namespace medulla {
namespace {

size_t even(size_t k) { return (k + 1) / 2 * 2; }

size_t packed_bytes(const WeightsS8& b) { return packed_bytes_s8(b.n, b.k, kPairS8); }
void pack(const WeightsS8& b, int32_t, void* packed) { pack_s8(b, kPairS8, 0, packed); }

size_t scratch_bytes(size_t k) { return block_rows_s8(even(k)) * even(k) * sizeof(int16_t); }

void run(const GemmS8& g, size_t m0, size_t m1, size_t n0, size_t n1, void* scratch) {
  const size_t depth = even(g.k);
  const size_t most = block_rows_s8(depth);
  int16_t* const a = static_cast<int16_t*>(scratch);
  for (size_t m = m0; m < m1; m += most) {
    const size_t rows = m1 - m < most ? m1 - m : most;
    for (size_t i = 0; i < rows; ++i) {
      int16_t* const row = a + i * depth;
      if (depth != g.k) row[g.k] = 0;
      widen_s8(g.a + (m + i) * g.lda, g.k, g.a_zero_point, row);
    }
    run_block_s8(g.c, m, n0, n1 - n0, panel_s8(g.b, depth, n0), a, rows, depth);
  }
}

}  // namespace

extern const GemmS8Kernel gemm_s8_6x16_avx2;
const GemmS8Kernel gemm_s8_6x16_avx2 = {kTileRowsS8, kPanelS8,      packed_bytes,
                                        pack,        scratch_bytes, run};

}  // namespace medulla
