// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_RNN_F32_ROWS_H_
#define MEDULLA_KERNELS_RNN_F32_ROWS_H_

#include "kernels/elementwise_f32/functions.h"
#include "kernels/lanes.h"
#include "kernels/rnn_f32/rnn_f32.h"

// The kernel of this family over any vector type. A panel is the units that one vector holds; the
// gates of up to four panels are summed at once, so that enough chains are under way to hide the
// latency of fma. Cells follow in passes over all units, each short enough that a CPU has several
// vectors in work: in one pass a unit's tanh would wait for its sigmoids. Everything is static:
// each row has its own.
namespace medulla {

template <size_t n>
struct Panels {
  static constexpr size_t kCount = n;
};

// Calls block(p, Panels<count>) for panels [p, p + count), all of them in as even parts as kMost
// allows, up or down.
template <size_t kMost, class Block>
static inline void each_panels(size_t panels, bool down, Block block) {
  for (size_t left = panels; left > 0;) {
    const size_t parts = (left + kMost - 1) / kMost;
    const size_t count = (left + parts - 1) / parts;
    const size_t p = down ? left - count : panels - left;
    if (count == 1) block(p, Panels<1>());
    if (count == 2) block(p, Panels<2>());
    if (count == 3) block(p, Panels<3>());
    if constexpr (kMost > 3) {
      if (count == 4) block(p, Panels<4>());
    }
    left -= count;
  }
}

// Unit j of gate g: sums[g][j] becomes the chain that starts from it and goes over h and R. With
// kBiased the last gate starts from the packed biases instead, and its sums go to `last`.
template <class V, size_t kGates, bool kBiased>
static inline void sum_gates(const RnnF32Step& s, const float* h, const float* r, float* sums,
                             float* last) {
  const size_t n = s.n;
  const size_t stride = V::kWidth * (kGates * n + (kBiased ? 1 : 0));
  each_panels<kGates == 4 ? 3 : 4>(
      (n + V::kWidth - 1) / V::kWidth, s.down, [=](size_t panel, auto panels) {
        constexpr size_t kPanels = decltype(panels)::kCount;
        const size_t unit = panel * V::kWidth;
        const float* w = r + panel * stride;
        V acc[kPanels][kGates];
#pragma GCC unroll 4
        for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
          for (size_t g = 0; g < kGates; ++g) {
            const size_t j = unit + i * V::kWidth;
            const bool from_bias = kBiased && g == kGates - 1;
            acc[i][g] =
                from_bias ? V::load(w + i * stride) : load_lanes<V>(sums + g * n + j, n - j);
          }
        }
        if (kBiased) w += V::kWidth;
        for (size_t k = 0; k < n; ++k, w += kGates * V::kWidth) {
          const V x = V::all(h[k]);
#pragma GCC unroll 4
          for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
            for (size_t g = 0; g < kGates; ++g) {
              acc[i][g] = fma(x, V::load(w + i * stride + g * V::kWidth), acc[i][g]);
            }
          }
        }
#pragma GCC unroll 4
        for (size_t i = 0; i < kPanels; ++i) {
#pragma GCC unroll 4
          for (size_t g = 0; g < kGates; ++g) {
            const size_t j = unit + i * V::kWidth;
            float* const to = kBiased && g == kGates - 1 ? last : sums + g * n;
            store_lanes(to + j, n - j, acc[i][g]);
          }
        }
      });
}

// Calls block(load, store) for each vector of units, load(p) reading p and store(p, v) writing it.
template <class V, class Block>
static inline void each_unit(size_t n, Block block) {
  for (size_t j = 0; j < n; j += V::kWidth) {
    block([=](const float* p) { return load_lanes<V>(p + j, n - j); },
          [=](float* p, V v) { store_lanes(p + j, n - j, v); });
  }
}

template <class V>
static void lstm_step(const RnnF32Step& step) {
  const RnnF32Step s = step;
  sum_gates<V, 4, false>(s, s.h, static_cast<const float*>(s.r), s.x, nullptr);
  const V bound = V::all(s.bound);
  float* const o = s.x + s.n;
  each_unit<V>(s.n, [=](auto load, auto store) {
    const V i = functions::sigmoid(functions::clip(load(s.x), -bound, bound));
    const V f = functions::sigmoid(functions::clip(load(s.x + 2 * s.n), -bound, bound));
    const V g = functions::tanh(functions::clip(load(s.x + 3 * s.n), -bound, bound));
    store(o, functions::sigmoid(functions::clip(load(o), -bound, bound)));
    store(s.c, fma(f, load(s.c), i * g));
  });
  each_unit<V>(s.n,
               [=](auto load, auto store) { store(s.y, load(o) * functions::tanh(load(s.c))); });
}

// y = fma(z, h, fl(fl(1 - z) * tanh(clip(sum))))
template <class V>
static inline void update_gru(const RnnF32Step& s, const float* z, const float* sum) {
  const V bound = V::all(s.bound);
  each_unit<V>(s.n, [=](auto load, auto store) {
    const V zj = load(z);
    const V hidden = functions::tanh(functions::clip(load(sum), -bound, bound));
    store(s.y, fma(zj, load(s.h), (V::all(1) - zj) * hidden));
  });
}

template <class V>
static void gru_step(const RnnF32Step& step) {
  const RnnF32Step s = step;
  const float* const r = static_cast<const float*>(s.r);
  sum_gates<V, 2, false>(s, s.h, r, s.x, nullptr);
  const V bound = V::all(s.bound);
  each_unit<V>(s.n, [=](auto load, auto store) {
    store(s.x, functions::sigmoid(functions::clip(load(s.x), -bound, bound)));
    const V reset = functions::sigmoid(functions::clip(load(s.x + s.n), -bound, bound));
    store(s.work, reset * load(s.h));
  });
  const size_t padded = (s.n + V::kWidth - 1) / V::kWidth * V::kWidth;
  sum_gates<V, 1, false>(s, s.work, r + 2 * padded * s.n, s.x + 2 * s.n, nullptr);
  update_gru<V>(s, s.x, s.x + 2 * s.n);
}

template <class V>
static void gru_linear_step(const RnnF32Step& step) {
  const RnnF32Step s = step;
  sum_gates<V, 3, true>(s, s.h, static_cast<const float*>(s.r), s.x, s.work);
  const V bound = V::all(s.bound);
  each_unit<V>(s.n, [=](auto load, auto store) {
    store(s.x, functions::sigmoid(functions::clip(load(s.x), -bound, bound)));
    const V reset = functions::sigmoid(functions::clip(load(s.x + s.n), -bound, bound));
    store(s.work, load(s.x + 2 * s.n) + reset * load(s.work));
  });
  update_gru<V>(s, s.x, s.work);
}

template <class V>
static constexpr RnnF32Kernel make_rnn_f32() {
  return {V::kWidth, {lstm_step<V>, gru_step<V>, gru_linear_step<V>}};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_RNN_F32_ROWS_H_
