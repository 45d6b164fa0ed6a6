// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/blocks.h"
#include "kernels/x86_avx2_sorted_pack_s8.h"

namespace medulla {
namespace {

struct BlocksSorted : RowsSorted {
  static constexpr auto packed_bytes = sorted_packed_bytes;
  static constexpr auto pack = pack_sorted;
};

}  // namespace

extern const GemmS8Kernel gemm_s8_12x8_avx2;
const GemmS8Kernel gemm_s8_12x8_avx2 = GemmS8Blocks<BlocksSorted>::kKernel;

}  // namespace medulla
