// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/gemm_f32/gemm_f32.h"

namespace medulla {
namespace {

constexpr size_t kNr = 8;

void run(const GemmF32& g, size_t m0, size_t m1, size_t n0, size_t n1) {
  const float* packed = static_cast<const float*>(g.b);
  for (size_t m = m0; m < m1; ++m) {
    const float* a = g.a + m * g.lda;
    for (size_t n = n0; n < n1; ++n) {
      const float* b = packed + n / kNr * kNr * (g.k + 1) + n % kNr;
      float acc = g.go_on ? g.c[m * g.ldc + n] : *b;
      for (size_t k = 0; k < g.k; ++k) acc = std::fma(a[k], *(b += kNr), acc);
      if (g.residual != nullptr) acc += g.residual[m * g.ldr + n];
      acc = g.lo > acc ? g.lo : acc;
      g.c[m * g.ldc + n] = g.hi < acc ? g.hi : acc;
    }
  }
}

}  // namespace

extern const GemmF32Kernel gemm_f32_portable;
const GemmF32Kernel gemm_f32_portable = {1, kNr, run};

}  // namespace medulla
