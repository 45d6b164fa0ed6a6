// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_TRANSPOSE_TRANSPOSE_H_
#define MEDULLA_KERNELS_TRANSPOSE_TRANSPOSE_H_

#include <cstddef>
#include <span>

#include "kernels/row.h"

// y[j * y_stride + i] = x[i * x_stride + j] for i below `rows`, j below `columns`: elements of 1,
// 2, 4 or 8 bytes, of any alignment. x and y do not overlap. Nothing outside the two matrices is
// read or written; where y's rows, or x's, lie apart, neither is what stands between them.
namespace medulla {

struct Transpose {
  size_t rows = 0;  // of x
  size_t columns = 0;
  const void* x = nullptr;
  size_t x_stride = 0;  // elements, at least `columns`
  void* y = nullptr;
  size_t y_stride = 0;  // elements, at least `rows`
};

struct TransposeKernel {
  void (*run[4])(const Transpose& t);  // [log2 of an element's bytes]
};

using TransposeRow = Row<TransposeKernel, KernelRequest>;
std::span<const TransposeRow> transpose_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_TRANSPOSE_TRANSPOSE_H_
