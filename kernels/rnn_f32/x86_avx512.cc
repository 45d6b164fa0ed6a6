// SPDX-License-Identifier: Apache-2.0
#include "kernels/rnn_f32/rows.h"
#include "kernels/x86_avx512_f32x16.h"

namespace medulla {

extern const RnnF32Kernel rnn_f32_x16_avx512;
constexpr RnnF32Kernel rnn_f32_x16_avx512 = make_rnn_f32<F32x16>();

}  // namespace medulla
