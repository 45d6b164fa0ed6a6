// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/blocks.h"
#include "kernels/x86_avx2_sorted_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_12x8_avx2;

extern const ConvS8Kernel conv_s8_12x8_avx2;
const ConvS8Kernel conv_s8_12x8_avx2 = ConvS8Blocks<RowsSorted, gemm_s8_12x8_avx2>::kKernel;

}  // namespace medulla
