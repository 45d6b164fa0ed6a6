// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/blocks.h"
#include "kernels/conv_s8/lines.h"
#include "kernels/x86_avxvnni_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_6x16_avxvnni;

extern const ConvS8Kernel conv_s8_6x16_avxvnni;
const ConvS8Kernel conv_s8_6x16_avxvnni =
    ConvS8Blocks<BlocksS8<QuadDotsS8>, gemm_s8_6x16_avxvnni>::kKernel;

extern const ConvS8Kernel conv_s8_lines_6x16_avxvnni;
const ConvS8Kernel conv_s8_lines_6x16_avxvnni =
    ConvS8Lines<BlocksS8<QuadDotsS8>, gemm_s8_6x16_avxvnni>::kKernel;

}  // namespace medulla
