// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/blocks.h"
#include "kernels/x86_avxvnni_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_6x16_avxvnni;
const GemmS8Kernel gemm_s8_6x16_avxvnni = GemmS8Blocks<BlocksS8<QuadDotsS8>>::kKernel;

}  // namespace medulla
