// SPDX-License-Identifier: Apache-2.0
#include "kernels/rnn_f32/rnn_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const RnnF32Kernel name;
#include "medulla_rows/rnn_f32.inc"
#undef MDL_KERNEL

namespace {

const char* rnn_f32_fits_any(const RnnF32Problem&) { return nullptr; }

// At most a fifth of the lanes is empty.
[[maybe_unused]] const char* rnn_f32_fits_panels_of_16(const RnnF32Problem& p) {
  const size_t padded = (p.n + 15) / 16 * 16;
  return p.n >= padded - padded / 5 ? nullptr : "too few units for panels of 16";
}

constexpr RnnF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/rnn_f32.inc"
#undef MDL_KERNEL
};

// Packs gates [first, first + gates) of all units; returns the end.
float* pack_gates(size_t lanes, size_t n, size_t first, size_t gates, const float* r,
                  const float* bias, bool has_bias, float* out) {
  for (size_t unit = 0; unit < n; unit += lanes) {
    const size_t width = n - unit < lanes ? n - unit : lanes;
    for (size_t j = 0; has_bias && j < lanes; ++j) {
      *out++ = bias != nullptr && j < width ? bias[unit + j] + 0.0f : 0.0f;
    }
    for (size_t k = 0; k < n; ++k) {
      for (size_t g = first; g < first + gates; ++g) {
        const float* from = r + (g * n + unit) * n + k;
        for (size_t j = 0; j < lanes; ++j) *out++ = j < width ? from[j * n] : 0.0f;
      }
    }
  }
  return out;
}

}  // namespace

std::span<const RnnF32Row> rnn_f32_rows() { return kRows; }

size_t rnn_f32_packed_bytes(RnnCell cell, size_t lanes, size_t n) {
  const size_t rows = rnn_gates(cell) * n + (cell == RnnCell::gru_linear ? 1 : 0);
  return (n + lanes - 1) / lanes * lanes * rows * sizeof(float);
}

void rnn_f32_pack(RnnCell cell, size_t lanes, size_t n, const float* r, const float* bias_h,
                  void* packed) {
  float* out = static_cast<float*>(packed);
  if (cell == RnnCell::gru) {
    out = pack_gates(lanes, n, 0, 2, r, nullptr, false, out);
    pack_gates(lanes, n, 2, 1, r, nullptr, false, out);
    return;
  }
  pack_gates(lanes, n, 0, rnn_gates(cell), r, bias_h, cell == RnnCell::gru_linear, out);
}

}  // namespace medulla
