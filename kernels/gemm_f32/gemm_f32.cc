// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_f32/gemm_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const GemmF32Kernel name;
#include "medulla_rows/gemm_f32.inc"
#undef MDL_KERNEL

namespace {

const char* gemm_f32_fits_any(const GemmF32Problem&) { return nullptr; }

constexpr GemmF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/gemm_f32.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const GemmF32Row> gemm_f32_rows() { return kRows; }

size_t gemm_f32_packed_bytes(size_t nr, size_t n, size_t k) {
  return (n + nr - 1) / nr * nr * (k + 1) * sizeof(float);
}

void gemm_f32_pack(size_t nr, size_t n, size_t k, const float* b, size_t k_stride, size_t n_stride,
                   const float* bias, void* packed) {
  float* out = static_cast<float*>(packed);
  for (size_t n0 = 0; n0 < n; n0 += nr) {
    const size_t width = n - n0 < nr ? n - n0 : nr;
    for (size_t j = 0; j < nr; ++j) {
      *out++ = bias != nullptr && j < width ? bias[n0 + j] + 0.0f : 0.0f;
    }
    for (size_t i = 0; i < k; ++i) {
      const float* row = b + i * k_stride + n0 * n_stride;
      for (size_t j = 0; j < nr; ++j) *out++ = j < width ? row[j * n_stride] : 0.0f;
    }
  }
}

}  // namespace medulla
