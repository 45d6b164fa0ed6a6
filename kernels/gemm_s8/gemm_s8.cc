// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/gemm_s8.h"

#include <cstring>

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const GemmS8Kernel name;
#include "medulla_rows/gemm_s8.inc"
#undef MDL_KERNEL

namespace {

const char* gemm_s8_fits_any(const GemmS8Problem&) { return nullptr; }

// Unused where no ISA of the target has such a row.
[[maybe_unused]] const char* gemm_s8_fits_narrow(const GemmS8Problem& p) {
  return p.narrow_weights ? nullptr : "weights less their zero points are not all int8";
}

constexpr GemmS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/gemm_s8.inc"
#undef MDL_KERNEL
};

}  // namespace

std::span<const GemmS8Row> gemm_s8_rows() { return kRows; }

bool weights_fit_s8(const WeightsS8& w) {
  if (w.zero_points == nullptr) return true;
  for (size_t n = 0; n < w.n; ++n) {
    const int zero_point = w.zero_points[n * w.zero_point_step];
    if (zero_point == 0) continue;
    for (size_t k = 0; k < w.k; ++k) {
      const int value = w.w[k * w.k_stride + n * w.n_stride] - zero_point;
      if (value != static_cast<int8_t>(value)) return false;
    }
  }
  return true;
}

size_t packed_bytes_s8(size_t n, size_t k, PackingS8 packing) {
  return (n + kPanelS8 - 1) / kPanelS8 * panel_bytes_s8(packing, k);
}

namespace {

// The weights of channel `n`, column `j` of a panel; returns their sum.
template <class T>
uint32_t pack_channel(const WeightsS8& w, size_t n, size_t group, size_t j, T* to) {
  const int zero_point = w.zero_points != nullptr ? w.zero_points[n * w.zero_point_step] : 0;
  uint32_t sum = 0;
  const int8_t* from = w.w + n * w.n_stride;
  for (size_t k0 = 0; k0 < w.k; k0 += group) {
    T* const values = to + k0 * kPanelS8 + j * group;
    for (size_t k = k0; k < k0 + group && k < w.k; ++k, from += w.k_stride) {
      const int value = *from - zero_point;
      values[k - k0] = static_cast<T>(value);
      sum += static_cast<uint32_t>(value);
    }
  }
  return sum;
}

}  // namespace

void pack_s8(const WeightsS8& w, PackingS8 packing, int32_t fold, void* packed) {
  const size_t panel_bytes = panel_bytes_s8(packing, w.k);
  unsigned char* to = static_cast<unsigned char*>(packed);
  std::memset(to, 0, packed_bytes_s8(w.n, w.k, packing));
  for (size_t n0 = 0; n0 < w.n; n0 += kPanelS8, to += panel_bytes) {
    const size_t width = w.n - n0 < kPanelS8 ? w.n - n0 : kPanelS8;
    PanelS8* const panel = reinterpret_cast<PanelS8*>(to);
    for (size_t j = 0; j < width; ++j) {
      const size_t n = n0 + j;
      void* const weights = panel + 1;
      const uint32_t sum =
          packing.bytes == 1 ? pack_channel(w, n, packing.group, j, static_cast<int8_t*>(weights))
                             : pack_channel(w, n, packing.group, j, static_cast<int16_t*>(weights));
      const uint32_t bias = w.bias != nullptr ? static_cast<uint32_t>(w.bias[n]) : 0;
      panel->bias[j] = bias - static_cast<uint32_t>(fold) * sum;
      panel->scale[j] = w.scale[n * w.scale_step];
      panel->float_bias[j] = w.float_bias != nullptr ? w.float_bias[n] : 0.0f;
    }
  }
}

}  // namespace medulla
