// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/blocks.h"
#include "kernels/conv_s8/lines.h"
#include "kernels/x86_avx2_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_6x16_avx2;

extern const ConvS8Kernel conv_s8_6x16_avx2;
const ConvS8Kernel conv_s8_6x16_avx2 = ConvS8Blocks<BlocksS8<PairsS8>, gemm_s8_6x16_avx2>::kKernel;

extern const ConvS8Kernel conv_s8_lines_6x16_avx2;
const ConvS8Kernel conv_s8_lines_6x16_avx2 =
    ConvS8Lines<BlocksS8<PairsS8>, gemm_s8_6x16_avx2>::kKernel;

}  // namespace medulla
