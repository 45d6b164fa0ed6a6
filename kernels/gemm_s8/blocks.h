// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_GEMM_S8_BLOCKS_H_
#define MEDULLA_KERNELS_GEMM_S8_BLOCKS_H_

#include <cstring>

#include "kernels/gemm_s8/gemm_s8.h"

// gemm_s8 over blocks of rows that an ISA turns into its own form first. Blocks has
//   Value               what an input becomes
//   kPacking            how weights are packed, to know the depth of a row
//   kRows, kColumns     of a tile
//   packed_bytes, pack  as in GemmS8Kernel
//   panels(packed, depth, n)  the weights from column n on, a multiple of kColumns
//   padding(z)          the Value that adds nothing to a sum, for the inputs' zero point z
//   block_rows(depth)   how many rows of `depth` inputs a block has at most
//   block_bytes(depth)  what scratch that takes
//   take(from, count, z, to)  turns inputs into Values
//   Rows(packed, scratch, rows, depth)  the rows of a block: next() is where one is to be put,
//   which
//                       done() then ends
//   run_block           a BlockS8
namespace medulla {

template <class Blocks>
struct GemmS8Blocks {
  using Value = typename Blocks::Value;

  static size_t depth_of(size_t k) { return depth_s8(Blocks::kPacking, k); }

  static size_t scratch_bytes(size_t k) { return Blocks::block_bytes(depth_of(k)); }

  static void run(const GemmS8& g, size_t m0, size_t m1, size_t n0, size_t n1, void* scratch) {
    const size_t depth = depth_of(g.k);
    const size_t most = Blocks::block_rows(depth);
    const void* const panels = Blocks::panels(g.b, depth, n0);
    for (size_t m = m0; m < m1; m += most) {
      const size_t rows = m1 - m < most ? m1 - m : most;
      typename Blocks::Rows block(g.b, scratch, rows, depth);
      for (size_t i = 0; i < rows; ++i) {
        Value* const row = block.next();
        clear_tail_s8(Blocks::kPacking, g.k, depth, row);
        Blocks::take(g.a + (m + i) * g.lda, g.k, g.a_zero_point, row);
        block.done();
      }
      Blocks::run_block(g.c, m, n0, n1 - n0, panels, {scratch, rows, depth, depth});
    }
  }

  static constexpr GemmS8Kernel kKernel = {Blocks::kRows,    Blocks::kColumns, Blocks::packed_bytes,
                                           Blocks::pack,     scratch_bytes,    run,
                                           Blocks::run_block};
};

}  // namespace medulla

#endif  // MEDULLA_KERNELS_GEMM_S8_BLOCKS_H_
