// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVXVNNI_S8_H_
#define MEDULLA_KERNELS_X86_AVXVNNI_S8_H_

#include "kernels/x86_avx2_flip_s8.h"
#include "kernels/x86_avx2_s8.h"

namespace medulla {
namespace {  // so that what is instantiated with it stays in this file

// vpdpbusd multiplies unsigned by signed bytes and adds four products to a sum without saturating.
struct QuadDotsS8 {
  using Value = uint8_t;
  static constexpr PackingS8 kPacking = kQuadsS8;
  static constexpr bool kRowBias = true;

  static int32_t fold(int32_t zero_point) { return zero_point + kFlipS8; }
  static Value padding(int32_t zero_point) { return static_cast<Value>(zero_point + kFlipS8); }
  static void take(const int8_t* from, size_t count, int32_t, Value* to) {
    flip_s8(from, count, to);
  }
  // The assembler takes AVX-512's form unless told.
  static __m256i add(__m256i sum, __m256i x, __m256i w) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w));
    return sum;
  }
};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_X86_AVXVNNI_S8_H_
