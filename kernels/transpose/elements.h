// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_TRANSPOSE_ELEMENTS_H_
#define MEDULLA_KERNELS_TRANSPOSE_ELEMENTS_H_

#include <cstdint>

#include "kernels/transpose/transpose.h"

// Element by element: the portable row, and what the tiles of the others leave. Static: each file
// has its own.
namespace medulla {

// So many lines of x are read side by side; they stay in L1 until all their columns are.
constexpr size_t kTransposeRows = 64;

// Columns [first, columns).
template <size_t kBytes>
static void transpose_elements(const Transpose& t, size_t first) {
  const size_t rows = t.rows;
  const size_t columns = t.columns;
  const size_t x_step = t.x_stride * kBytes;
  const size_t y_step = t.y_stride * kBytes;
  for (size_t block = 0; block < rows; block += kTransposeRows) {
    const size_t count = rows - block < kTransposeRows ? rows - block : kTransposeRows;
    const auto* const x = static_cast<const uint8_t*>(t.x) + block * x_step;
    auto* const y = static_cast<uint8_t*>(t.y) + block * kBytes;
    if (count < 8) {
      for (size_t i = 0; i < count; ++i) {
        for (size_t j = first; j < columns; ++j) {
          __builtin_memcpy(y + j * y_step + i * kBytes, x + i * x_step + j * kBytes, kBytes);
        }
      }
      continue;
    }
    for (size_t j = first; j < columns; ++j) {
      for (size_t i = 0; i < count; ++i) {
        __builtin_memcpy(y + j * y_step + i * kBytes, x + i * x_step + j * kBytes, kBytes);
      }
    }
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_TRANSPOSE_ELEMENTS_H_
