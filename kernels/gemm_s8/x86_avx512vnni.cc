// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/blocks.h"
#include "kernels/x86_avx512vnni_s8.h"

namespace medulla {

extern const GemmS8Kernel gemm_s8_6x64_avx512vnni;
const GemmS8Kernel gemm_s8_6x64_avx512vnni = GemmS8Blocks<BlocksS8>::kKernel;

}  // namespace medulla
