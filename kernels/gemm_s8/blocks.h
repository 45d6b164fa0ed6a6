// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_GEMM_S8_BLOCKS_H_
#define MEDULLA_KERNELS_GEMM_S8_BLOCKS_H_

#include "kernels/gemm_s8/gemm_s8.h"

// gemm_s8 over blocks of rows that an ISA turns into its own form first. Blocks has
//   Value               what an input becomes
//   kPacking            how weights are packed
//   kRows, kColumns     of a tile
//   fold(z)             what pack_s8 folds into the biases, for the inputs' zero point z
//   padding(z)          the Value that adds nothing to a sum
//   take(from, count, z, to)  turns inputs into Values
//   block_rows(depth)   how many rows of `depth` Values a block has
//   run_block           a BlockS8
namespace medulla {

template <class Blocks>
struct GemmS8Blocks {
  using Value = typename Blocks::Value;
  static constexpr PackingS8 kPacking = Blocks::kPacking;

  static size_t depth_of(size_t k) {
    return (k + kPacking.group - 1) / kPacking.group * kPacking.group;
  }

  static size_t packed_bytes(const WeightsS8& b) { return packed_bytes_s8(b.n, b.k, kPacking); }

  static void pack(const WeightsS8& b, int32_t a_zero_point, void* packed) {
    pack_s8(b, kPacking, Blocks::fold(a_zero_point), packed);
  }

  static size_t scratch_bytes(size_t k) {
    return Blocks::block_rows(depth_of(k)) * depth_of(k) * sizeof(Value);
  }

  static void run(const GemmS8& g, size_t m0, size_t m1, size_t n0, size_t n1, void* scratch) {
    const size_t depth = depth_of(g.k);
    const size_t most = Blocks::block_rows(depth);
    const void* const panels = panel_s8(g.b, panel_bytes_s8(kPacking, depth), n0);
    Value* const a = static_cast<Value*>(scratch);
    for (size_t m = m0; m < m1; m += most) {
      const size_t rows = m1 - m < most ? m1 - m : most;
      for (size_t i = 0; i < rows; ++i) {
        Value* const row = a + i * depth;
        for (size_t k = g.k; k < depth; ++k) row[k] = 0;
        Blocks::take(g.a + (m + i) * g.lda, g.k, g.a_zero_point, row);
      }
      Blocks::run_block(g.c, m, n0, n1 - n0, panels, a, rows, depth);
    }
  }

  static constexpr GemmS8Kernel kKernel = {
      Blocks::kRows, Blocks::kColumns, packed_bytes, pack, scratch_bytes, run, Blocks::run_block};
};

}  // namespace medulla

#endif  // MEDULLA_KERNELS_GEMM_S8_BLOCKS_H_
