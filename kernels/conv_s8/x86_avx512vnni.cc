// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/blocks.h"
#include "kernels/conv_s8/lines.h"
#include "kernels/x86_avx512vnni_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_6x64_avx512vnni;

extern const ConvS8Kernel conv_s8_6x64_avx512vnni;
const ConvS8Kernel conv_s8_6x64_avx512vnni =
    ConvS8Blocks<BlocksS8, gemm_s8_6x64_avx512vnni>::kKernel;

extern const ConvS8Kernel conv_s8_lines_6x64_avx512vnni;
const ConvS8Kernel conv_s8_lines_6x64_avx512vnni =
    ConvS8Lines<BlocksS8, gemm_s8_6x64_avx512vnni>::kKernel;

}  // namespace medulla
