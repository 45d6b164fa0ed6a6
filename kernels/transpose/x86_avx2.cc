// SPDX-License-Identifier: Apache-2.0
// Square tiles of 128-bit vectors: N = 16 / bytes of them. Interleaving vector i with i + N / 2,
// for all i, is a rotation of the bits of an element's address, and log2 N of these swap its row
// with its column.
#include "kernels/x86_avx2.h"
#include "kernels/transpose/elements.h"

namespace medulla {
namespace {

template <size_t kBytes>
__m128i interleave_low(__m128i a, __m128i b) {
  if constexpr (kBytes == 1) return _mm_unpacklo_epi8(a, b);
  if constexpr (kBytes == 2) return _mm_unpacklo_epi16(a, b);
  if constexpr (kBytes == 4) return _mm_unpacklo_epi32(a, b);
  if constexpr (kBytes == 8) return _mm_unpacklo_epi64(a, b);
}
template <size_t kBytes>
__m128i interleave_high(__m128i a, __m128i b) {
  if constexpr (kBytes == 1) return _mm_unpackhi_epi8(a, b);
  if constexpr (kBytes == 2) return _mm_unpackhi_epi16(a, b);
  if constexpr (kBytes == 4) return _mm_unpackhi_epi32(a, b);
  if constexpr (kBytes == 8) return _mm_unpackhi_epi64(a, b);
}

// Reads 16 bytes from each of the first `in` of N lines of x, writes 16 to each of the first `out`
// lines of y, first to last. Strides in bytes.
template <size_t kBytes>
void tile(const uint8_t* x, size_t x_stride, size_t in, uint8_t* y, size_t y_stride, size_t out) {
  constexpr size_t kSide = 16 / kBytes;
  __m128i v[kSide];
#pragma GCC unroll 16
  for (size_t i = 0; i < kSide; ++i) {
    v[i] = i < in ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * x_stride))
                  : _mm_setzero_si128();
  }
#pragma GCC unroll 4
  for (size_t round = 1; round < kSide; round *= 2) {
    __m128i w[kSide];
#pragma GCC unroll 16
    for (size_t i = 0; i < kSide / 2; ++i) {
      w[2 * i] = interleave_low<kBytes>(v[i], v[i + kSide / 2]);
      w[2 * i + 1] = interleave_high<kBytes>(v[i], v[i + kSide / 2]);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kSide; ++i) v[i] = w[i];
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < kSide; ++i) {
    if (i < out) _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i * y_stride), v[i]);
  }
}

template <size_t kBytes>
void run(const Transpose& t) {
  constexpr size_t kSide = 16 / kBytes;
  const auto* const x = static_cast<const uint8_t*>(t.x);
  auto* const y = static_cast<uint8_t*>(t.y);
  const size_t x_stride = t.x_stride * kBytes;
  const size_t y_stride = t.y_stride * kBytes;
  const auto clamped = [](size_t at, size_t end) { return at + kSide > end ? end - kSide : at; };
  if (t.rows >= kSide && t.columns >= kSide) {
    // The last tiles of a row and of a column overlap those before them.
    for (size_t block = 0; block < t.rows; block += kTransposeRows) {
      const size_t end = t.rows - block < kTransposeRows ? t.rows : block + kTransposeRows;
      for (size_t column = 0; column < t.columns; column += kSide) {
        const size_t j = clamped(column, t.columns);
        for (size_t row = block; row < end; row += kSide) {
          const size_t i = clamped(row, t.rows);
          tile<kBytes>(x + i * x_stride + j * kBytes, x_stride, kSide,
                       y + j * y_stride + i * kBytes, y_stride, kSide);
        }
      }
    }
    return;
  }
  size_t columns = 0;  // that are done
  if (t.rows < kSide && t.y_stride == t.rows) {
    // A store goes past its row of y, over the beginning of those that are written after it.
    const size_t beyond = (kSide - 1) / t.rows;
    for (; columns + kSide + beyond <= t.columns; columns += kSide) {
      tile<kBytes>(x + columns * kBytes, x_stride, t.rows, y + columns * y_stride, y_stride, kSide);
    }
  } else if (t.columns < kSide && t.x_stride == t.columns) {
    // A load goes past its row of x, into those behind it.
    const size_t beyond = (kSide - 1) / t.columns;
    size_t i = 0;
    for (; i + kSide + beyond <= t.rows; i += kSide) {
      tile<kBytes>(x + i * x_stride, x_stride, kSide, y + i * kBytes, y_stride, t.columns);
    }
    Transpose rest = t;
    rest.rows -= i;
    rest.x = x + i * x_stride;
    rest.y = y + i * kBytes;
    transpose_elements<kBytes>(rest, 0);
    return;
  }
  transpose_elements<kBytes>(t, columns);
}

}  // namespace

extern const TransposeKernel transpose_tile128_avx2;
const TransposeKernel transpose_tile128_avx2 = {{run<1>, run<2>, run<4>, run<8>}};

}  // namespace medulla
