// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_RNN_F32_ROWS_H_
#define MEDULLA_KERNELS_RNN_F32_ROWS_H_

#include "kernels/elementwise_f32/functions.h"
#include "kernels/rnn_f32/rnn_f32.h"

// The kernel of this family over any vector type. A panel is the units that one vector holds; the
// gates of up to four panels are summed at once, so that enough chains are under way to hide the
// latency of fma, and a unit's gates are all at hand when its cell is computed. Everything is
// static: each row has its own.
namespace medulla {

template <size_t n>
struct Panels {
  static constexpr size_t kCount = n;
};

// Calls block(p, Panels<count>) for panels [p, p + count), all of them in as even parts as kMost
// allows.
template <size_t kMost, class Block>
static inline void each_panels(size_t panels, Block block) {
  for (size_t p = 0; p < panels;) {
    const size_t parts = (panels - p + kMost - 1) / kMost;
    const size_t count = (panels - p + parts - 1) / parts;
    if (count == 1) block(p, Panels<1>());
    if (count == 2) block(p, Panels<2>());
    if (count == 3) block(p, Panels<3>());
    if constexpr (kMost > 3) {
      if (count == 4) block(p, Panels<4>());
    }
    p += count;
  }
}

// Element j of a row and those behind it that exist.
template <class V>
static inline V load_units(const float* row, size_t j, size_t n) {
  return n - j >= V::kWidth ? V::load(row + j) : V::load_part(row + j, n - j);
}
template <class V>
static inline void store_units(float* row, size_t j, size_t n, V v) {
  if (n - j >= V::kWidth) {
    v.store(row + j);
  } else {
    v.store_part(row + j, n - j);
  }
}

// sums[i][g] = acc[i][g], gone on over h[k] * R of panel i, whose weights stand `stride` behind
// those of the one before. acc stays in registers: nothing may index it but unrolled loops.
template <class V, size_t kPanels, size_t kGates>
static inline void add_products(const float* h, const float* r, size_t stride, size_t n,
                                V (&acc)[kPanels][kGates], V (&sums)[kPanels][kGates]) {
  for (size_t k = 0; k < n; ++k, r += kGates * V::kWidth) {
    const V x = V::all(h[k]);
#pragma GCC unroll 4
    for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
      for (size_t g = 0; g < kGates; ++g) {
        acc[i][g] = fma(x, V::load(r + i * stride + g * V::kWidth), acc[i][g]);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
    for (size_t g = 0; g < kGates; ++g) sums[i][g] = acc[i][g];
  }
}

template <class V>
static void lstm_step(const RnnF32Step& step) {
  const RnnF32Step s = step;
  const V bound = V::all(s.bound);
  const size_t stride = 4 * V::kWidth * s.n;
  each_panels<3>((s.n + V::kWidth - 1) / V::kWidth, [&](size_t panel, auto panels) {
    constexpr size_t kPanels = decltype(panels)::kCount;
    const size_t unit = panel * V::kWidth;
    V acc[kPanels][4];
    V sums[kPanels][4];
#pragma GCC unroll 4
    for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
      for (size_t g = 0; g < 4; ++g) {
        acc[i][g] = load_units<V>(s.x + g * s.n, unit + i * V::kWidth, s.n);
      }
    }
    add_products(s.h, static_cast<const float*>(s.r) + panel * stride, stride, s.n, acc, sums);
    for (size_t i = 0; i < kPanels; ++i) {
      const size_t j = unit + i * V::kWidth;
      V c = load_units<V>(s.c, j, s.n);
      V h;
      functions::lstm_cell(sums[i][0], sums[i][1], sums[i][2], sums[i][3], bound, &c, &h);
      store_units(s.c, j, s.n, c);
      store_units(s.y, j, s.n, h);
    }
  });
}

template <class V>
static void gru_step(const RnnF32Step& step) {
  const RnnF32Step s = step;
  const V bound = V::all(s.bound);
  const size_t panels = (s.n + V::kWidth - 1) / V::kWidth;
  const size_t stride = V::kWidth * s.n;  // of one gate
  const float* r = static_cast<const float*>(s.r);
  float* const z = s.work;
  float* const q = s.work + s.n;
  each_panels<4>(panels, [&](size_t panel, auto count) {
    constexpr size_t kPanels = decltype(count)::kCount;
    const size_t unit = panel * V::kWidth;
    V acc[kPanels][2];
    V sums[kPanels][2];
#pragma GCC unroll 4
    for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
      for (size_t g = 0; g < 2; ++g) {
        acc[i][g] = load_units<V>(s.x + g * s.n, unit + i * V::kWidth, s.n);
      }
    }
    add_products(s.h, r + panel * 2 * stride, 2 * stride, s.n, acc, sums);
    for (size_t i = 0; i < kPanels; ++i) {
      const size_t j = unit + i * V::kWidth;
      store_units(z, j, s.n, sums[i][0]);
      store_units(q, j, s.n, functions::gru_reset(sums[i][1], bound, load_units<V>(s.h, j, s.n)));
    }
  });
  r += panels * 2 * stride;
  each_panels<4>(panels, [&](size_t panel, auto count) {
    constexpr size_t kPanels = decltype(count)::kCount;
    const size_t unit = panel * V::kWidth;
    V acc[kPanels][1];
    V sums[kPanels][1];
#pragma GCC unroll 4
    for (size_t i = 0; i < kPanels; ++i) {
      acc[i][0] = load_units<V>(s.x + 2 * s.n, unit + i * V::kWidth, s.n);
    }
    add_products(q, r + panel * stride, stride, s.n, acc, sums);
    for (size_t i = 0; i < kPanels; ++i) {
      const size_t j = unit + i * V::kWidth;
      store_units(s.y, j, s.n,
                  functions::gru_update(load_units<V>(z, j, s.n), sums[i][0], bound,
                                        load_units<V>(s.h, j, s.n)));
    }
  });
}

template <class V>
static void gru_linear_step(const RnnF32Step& step) {
  const RnnF32Step s = step;
  const V bound = V::all(s.bound);
  const size_t stride = V::kWidth * (1 + 3 * s.n);
  each_panels<4>((s.n + V::kWidth - 1) / V::kWidth, [&](size_t panel, auto panels) {
    constexpr size_t kPanels = decltype(panels)::kCount;
    const size_t unit = panel * V::kWidth;
    const float* const r = static_cast<const float*>(s.r) + panel * stride;
    V acc[kPanels][3];
    V sums[kPanels][3];
#pragma GCC unroll 4
    for (size_t i = 0; i < kPanels; ++i) {
      acc[i][0] = load_units<V>(s.x, unit + i * V::kWidth, s.n);
      acc[i][1] = load_units<V>(s.x + s.n, unit + i * V::kWidth, s.n);
      acc[i][2] = V::load(r + i * stride);
    }
    add_products(s.h, r + V::kWidth, stride, s.n, acc, sums);
    for (size_t i = 0; i < kPanels; ++i) {
      const size_t j = unit + i * V::kWidth;
      const V hidden = load_units<V>(s.x + 2 * s.n, j, s.n) +
                       functions::gru_reset(sums[i][1], bound, sums[i][2]);
      store_units(s.y, j, s.n,
                  functions::gru_update(sums[i][0], hidden, bound, load_units<V>(s.h, j, s.n)));
    }
  });
}

template <class V>
static constexpr RnnF32Kernel make_rnn_f32() {
  return {V::kWidth, {lstm_step<V>, gru_step<V>, gru_linear_step<V>}};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_RNN_F32_ROWS_H_
