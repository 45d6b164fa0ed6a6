// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_s8/pool_s8.h"
#include "kernels/s8.h"

namespace medulla {
namespace {

// Calls tap(value) for each value of channel c in the window.
template <class T, class Tap>
void each_tap(const PoolS8& a, const PoolWindow& window, size_t c, Tap tap) {
  const size_t step_x = a.pool.dilation_w * a.in_stride;
  const size_t step_y = a.pool.dilation_h * a.pool.in_w * a.in_stride;
  const int8_t* row = a.in + window.first * a.in_stride + c;
  for (size_t y = 0; y < window.rows; ++y, row += step_y) {
    for (size_t x = 0; x < window.columns; ++x) tap(static_cast<T>(row[x * step_x]));
  }
}

template <class T>
void max_pool(const PoolS8& a, size_t begin, size_t end) {
  each_window(a.pool, begin, end, [&](size_t p, const PoolWindow& window) {
    for (size_t c = 0; c < a.pool.channels; ++c) {
      T greatest = static_cast<T>(a.in[window.first * a.in_stride + c]);
      each_tap<T>(a, window, c, [&](T q) { greatest = q > greatest ? q : greatest; });
      a.out[p * a.out_stride + c] = static_cast<int8_t>(greatest);
    }
  });
}

void average_pool(const PoolS8& a, size_t begin, size_t end) {
  each_window(a.pool, begin, end, [&](size_t p, const PoolWindow& window) {
    const float m = a.multipliers[(window.count - 1) * a.multiplier_step];
    for (size_t c = 0; c < a.pool.channels; ++c) {
      int32_t sum = 0;
      each_tap<int8_t>(a, window, c, [&](int8_t q) { sum += q - a.in_zero_point; });
      a.out[p * a.out_stride + c] =
          quantize_s8(static_cast<float>(sum) * m, a.zero_point, a.min, a.max);
    }
  });
}

}  // namespace

extern const PoolS8Kernel pool_s8_portable;
const PoolS8Kernel pool_s8_portable = {max_pool<int8_t>, max_pool<uint8_t>, average_pool};

}  // namespace medulla
