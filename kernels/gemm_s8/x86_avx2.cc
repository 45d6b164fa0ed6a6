// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/blocks.h"
#include "kernels/x86_avx2_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_6x16_avx2;
const GemmS8Kernel gemm_s8_6x16_avx2 = GemmS8Blocks<BlocksS8<PairsS8>>::kKernel;

}  // namespace medulla
