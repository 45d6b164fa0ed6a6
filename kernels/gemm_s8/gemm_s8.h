// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_GEMM_S8_GEMM_S8_H_
#define MEDULLA_KERNELS_GEMM_S8_GEMM_S8_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "kernels/row.h"
#include "kernels/s8.h"

// C[m][n] = output of sum_k (A[m][k] - z_a)(B[k][n] - z_b[n]) + bias[n], as s8.h says. Every row
// gives these bytes. Nothing outside the tensors is read or written.
namespace medulla {

struct GemmS8Problem : KernelRequest {
  size_t m = 0;
  size_t n = 0;
  size_t k = 0;
  bool float_output = false;
  bool narrow_weights = false;   // weights_fit_s8
  bool constant_weights = true;  // packed once, not for each run
  bool row_bias = false;         // c.row_bias is set
};

struct GemmS8 {
  size_t n = 0;
  size_t k = 0;
  const int8_t* a = nullptr;  // [m][lda], lda >= k
  size_t lda = 0;
  int32_t a_zero_point = 0;  // the one that was packed for
  const void* b = nullptr;   // packed by the same kernel, aligned to kPackAlign
  OutputS8 c;                // overlaps neither a nor b
};

// Rows of inputs in a kernel's own form, a block of them. Row i is `lines` times `depth` values, of
// which line l begins i * stride + l * line_stride values from the first.
struct RowsS8 {
  const void* values;
  size_t count;
  size_t stride;
  size_t depth;
  size_t lines = 1;
  size_t line_stride = 0;
};

// `rows` times `channels` channels of `panels`; the outputs begin at row `row`, channel `channel`.
using BlockS8 = void (*)(const OutputS8& out, size_t row, size_t channel, size_t channels,
                         const void* panels, const RowsS8& rows);

struct GemmS8Kernel {
  size_t mr;  // rows and columns of a tile: good places to split
  size_t nr;
  // The packed bytes hold no pointers; they depend on the weights and a's zero point alone.
  size_t (*packed_bytes)(const WeightsS8& b);
  void (*pack)(const WeightsS8& b, int32_t a_zero_point, void* packed);
  // What run needs, aligned to kPackAlign; its contents need not last from call to call.
  size_t (*scratch_bytes)(size_t k);
  // Computes rows [m0, m1) and columns [n0, n1); n0 is a multiple of nr, n1 one too or n.
  void (*run)(const GemmS8& g, size_t m0, size_t m1, size_t n0, size_t n1, void* scratch);
  // What run does with each block of rows, for the row of conv_s8 of the same ISA: a program with
  // both has the tiles once. Null if that has no use for it.
  BlockS8 block = nullptr;
};

static inline size_t scratch_bytes(const GemmS8Kernel& kernel, const GemmS8Problem& problem) {
  return kernel.scratch_bytes(problem.k);
}

using GemmS8Row = Row<GemmS8Kernel, GemmS8Problem>;
std::span<const GemmS8Row> gemm_s8_rows();

// Whether every w - z_w is an int8: for the problems of all INT8 families.
bool weights_fit_s8(const WeightsS8& w);

// Why m rows by n columns of k products are better not computed in tiles of AMX; null if they are.
const char* tiles_refusal_s8(size_t m, size_t n, size_t k);

// The largest sum over k of |w - z_w|, of all n.
uint64_t largest_weight_sum_s8(const WeightsS8& w);

// For kernels of all INT8 families: the packing of s8.h, with `fold` as channel_s8 says. Packings
// of one byte are for weights that fit. Each of `lines` equal parts of a channel begins a group.
size_t packed_bytes_s8(size_t n, size_t k, PackingS8 packing, size_t lines = 1);
void pack_s8(const WeightsS8& w, PackingS8 packing, int32_t fold, void* packed, size_t lines = 1);

// For kernels: calls tile(begin, height) for tiles that cover `rows` rows, of 1 row or an even
// number of at most kMost, nearly equal: a last one of a few rows would cost as much as one of
// many. Where the rows are odd the last tile takes one again, which spares a program half the
// tiles.
template <size_t kMost, class Tile>
static inline void for_each_tile_s8(size_t rows, const Tile& tile) {
  static_assert(kMost % 2 == 0);
  if (rows == 1) return tile(0, 1);
  const size_t twos = (rows + 1) / 2;
  size_t tiles = (2 * twos + kMost - 1) / kMost;
  if (tiles == 1 && rows % 2 == 1) tiles = 2;
  for (size_t i = 0; i < tiles; ++i) {
    const size_t begin = 2 * (i * twos / tiles);
    const size_t height = 2 * ((i + 1) * twos / tiles) - begin;
    tile(i + 1 < tiles ? begin : rows - height, height);
  }
}

namespace {

// For kernels: makes the values of a row of `depth` past the k-th 0, before it is written; where
// they are in the last group, by a store of a constant size.
template <class Value>
inline void clear_tail_s8(PackingS8 packing, size_t k, size_t depth, Value* row) {
  if (k == depth) return;
  if (depth - k < packing.group) {
    std::memset(row + depth - packing.group, 0, packing.group * sizeof(Value));
  } else {
    std::memset(row + k, 0, (depth - k) * sizeof(Value));
  }
}

// For kernels: rows one behind the other, as gemm_s8/blocks.h says. Unnamed to the linker: each
// file has its own, compiled for its ISA.
template <class Value>
struct DenseRowsS8 {
  Value* row;
  size_t depth;

  DenseRowsS8(const void*, void* scratch, size_t, size_t values)
      : row(static_cast<Value*>(scratch)), depth(values) {}
  Value* next() const { return row; }
  void done() { row += depth; }
};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_GEMM_S8_GEMM_S8_H_
