// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/gemm_s8.h"

namespace medulla {
namespace {

constexpr PackingS8 kPacking = {.group = 1, .bytes = 2};

size_t packed_bytes(const WeightsS8& b) { return packed_bytes_s8(b.n, b.k, kPacking); }
void pack(const WeightsS8& b, int32_t, void* packed) { pack_s8(b, kPacking, 0, packed); }
size_t scratch_bytes(size_t) { return 0; }

void run(const GemmS8& g, size_t m0, size_t m1, size_t n0, size_t n1, void*) {
  const size_t panel_bytes = panel_bytes_s8(kPacking, g.k);
  for (size_t n = n0; n < n1; n += kPanelS8) {
    const PanelS8& panel = *panel_s8(g.b, panel_bytes, n);
    for (size_t m = m0; m < m1; ++m) {
      const int8_t* a = g.a + m * g.lda;
      const int16_t* w = panel_weights(panel);
      uint32_t sums[kPanelS8];
      for (size_t j = 0; j < kPanelS8; ++j) sums[j] = panel.bias[j];
      for (size_t k = 0; k < g.k; ++k, w += kPanelS8) {
        add_products_s8(sums, a[k] - g.a_zero_point, w);
      }
      store_s8(g.c, m, n, n1 - n < kPanelS8 ? n1 - n : kPanelS8, panel, sums);
    }
  }
}

}  // namespace

extern const GemmS8Kernel gemm_s8_portable;
const GemmS8Kernel gemm_s8_portable = {1, kPanelS8, packed_bytes, pack, scratch_bytes, run};

}  // namespace medulla
