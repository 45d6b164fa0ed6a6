// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/blocks.h"
#include "kernels/conv_s8/lines.h"
#include "kernels/x86_amx_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_32x32_amx_int8;

extern const ConvS8Kernel conv_s8_32x32_amx_int8;
const ConvS8Kernel conv_s8_32x32_amx_int8 = ConvS8Blocks<BlocksS8, gemm_s8_32x32_amx_int8>::kKernel;

extern const ConvS8Kernel conv_s8_lines_32x32_amx_int8;
const ConvS8Kernel conv_s8_lines_32x32_amx_int8 =
    ConvS8Lines<BlocksS8, gemm_s8_32x32_amx_int8>::kKernel;

}  // namespace medulla
