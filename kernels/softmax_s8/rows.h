// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_SOFTMAX_S8_ROWS_H_
#define MEDULLA_KERNELS_SOFTMAX_S8_ROWS_H_

#include "kernels/quantize.h"
#include "kernels/softmax_s8/softmax_s8.h"

// The kernel of this family over any vector type: what a row has for each of the 256 differences is
// computed by vectors, then looked up. A long row of few distinct values costs no more than that.
namespace medulla {

constexpr size_t kSoftmaxEntries = 256;

// Parts of fixed length, of which compilers make vectors.
static inline int8_t greatest_s8(const int8_t* x, size_t n) {
  constexpr size_t kPart = 32;
  int8_t lanes[kPart];
  for (size_t j = 0; j < kPart; ++j) lanes[j] = -128;
  size_t i = 0;
  for (; n - i >= kPart; i += kPart) {
    for (size_t j = 0; j < kPart; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  }
  for (size_t j = 0; i + j < n; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  int8_t greatest = -128;
  for (size_t j = 0; j < kPart; ++j) greatest = lanes[j] > greatest ? lanes[j] : greatest;
  return greatest;
}

static inline int64_t sum_of_entries(const uint32_t* table, int8_t m, const int8_t* x, size_t n) {
  int64_t sums[4] = {};
  size_t i = 0;
  for (; n - i >= 4; i += 4) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) sums[j] += table[m - x[i + j]];
  }
  for (; i < n; ++i) sums[0] += table[m - x[i]];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

template <class V>
static void softmax_rows_s8(const SoftmaxS8& p, const int8_t* x, int8_t* y, size_t rows) {
  const QuantizeF32 q = quantize_f32(p.zero_point, p.min, p.max);
  float entries[kSoftmaxEntries];
  for (size_t d = 0; d < kSoftmaxEntries; ++d) entries[d] = static_cast<float>(p.table[d]);
  const size_t n = p.n;
  for (size_t row = 0; row < rows; ++row, x += n, y += n) {
    const int8_t m = greatest_s8(x, n);
    const float sum = static_cast<float>(sum_of_entries(p.table, m, x, n));
    const V r = V::all(p.inverse_scale / sum);
    int8_t results[kSoftmaxEntries];
    store_quantized<V>(kSoftmaxEntries, q, 0, results, [&](size_t d, size_t count) {
      return load_lanes<V>(entries + d, count) * r;
    });
#pragma GCC unroll 8
    for (size_t i = 0; i < n; ++i) y[i] = results[m - x[i]];
  }
}

template <class V>
static constexpr SoftmaxS8Kernel make_softmax_s8() {
  return {softmax_rows_s8<V>};
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_SOFTMAX_S8_ROWS_H_
