// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_RNN_F32_RNN_F32_H_
#define MEDULLA_KERNELS_RNN_F32_RNN_F32_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// One step of a recurrent net's n units, ordered FP32. The sums over the input come with the call;
// for unit j and gate g, in ONNX's order (LSTM i, o, f, c; GRU z, r, h):
//   a[g] = x[g][j], then a[g] = fma(h[k], R[g][j][k], a[g]), k ascending, one chain
// and with sigmoid, tanh, lstm_cell_f32 and gru_update_f32 as in elementwise_f32/scalar.h, `bound`
// clipping every sum before its activation:
//   lstm:       c, y = lstm_cell(a[i], a[o], a[f], a[c], bound, c)
//   gru:        a[h] runs over fl(sigmoid(a[r])[k] * h[k]) instead of h[k]
//               y = gru_update(a[z], a[h], bound, h)
//   gru_linear: a[h] starts from the packed bias of R instead of x
//               y = gru_update(a[z], fl(x[h] + fl(sigmoid(a[r]) * a[h])), bound, h)
// Equal bytes from every row; of a NaN neither sign nor payload is promised. Nothing outside the
// arrays is read or written.
namespace medulla {

enum class RnnCell : uint8_t { lstm = 0, gru = 1, gru_linear = 2 };
constexpr size_t kRnnCellCount = 3;
constexpr size_t rnn_gates(RnnCell cell) { return cell == RnnCell::lstm ? 4 : 3; }

struct RnnF32Problem : KernelRequest {
  size_t n = 0;
};

struct RnnF32Step {
  size_t n = 0;
  const void* r = nullptr;   // packed for the same kernel and cell, aligned to kPackAlign
  const float* x = nullptr;  // [gates][n]
  const float* h = nullptr;  // [n]
  float* c = nullptr;        // [n], of an LSTM; replaced
  float* y = nullptr;        // [n], the next h; overlaps nothing
  float* work = nullptr;     // [2][n], of a GRU; what is left there means nothing
  float bound = 0;           // +inf: none
};

struct RnnF32Kernel {
  size_t lanes;                                         // units that are packed together
  void (*step[kRnnCellCount])(const RnnF32Step& step);  // [RnnCell]
};

using RnnF32Row = Row<RnnF32Kernel, RnnF32Problem>;
std::span<const RnnF32Row> rnn_f32_rows();

// Packed R, for each `lanes` units: of gru_linear their biases first; then for each k the weights
// of all gates, `lanes` of each. The h gate of gru stands apart, behind all units' z and r. What
// lies past n is +0. R is [gates][n][n]; bias_h, of gru_linear alone, is null or has n entries. The
// packed bytes hold no pointers.
size_t rnn_f32_packed_bytes(RnnCell cell, size_t lanes, size_t n);
void rnn_f32_pack(RnnCell cell, size_t lanes, size_t n, const float* r, const float* bias_h,
                  void* packed);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_RNN_F32_RNN_F32_H_
