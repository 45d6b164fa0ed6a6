// SPDX-License-Identifier: Apache-2.0
#include "kernels/rnn_f32/rows.h"

namespace medulla {

extern const RnnF32Kernel rnn_f32_portable;
constexpr RnnF32Kernel rnn_f32_portable = make_rnn_f32<F32x1>();

}  // namespace medulla
