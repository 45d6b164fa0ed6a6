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
// and with s(g) = sigmoid(clip(a[g], -bound, bound)), t(v) = tanh(clip(v, -bound, bound)) and these
// functions as in elementwise_f32/scalar.h:
//   lstm:       c = fma(s(f), c, fl(s(i) * t(a[c]))); y = fl(s(o) * tanh(c))
//   gru:        a[h] runs over fl(s(r)[k] * h[k]) instead of h[k]
//               y = fma(s(z), h, fl(fl(1 - s(z)) * t(a[h])))
//   gru_linear: a[h] starts from the packed bias of R instead of x
//               y = fma(s(z), h, fl(fl(1 - s(z)) * t(fl(x[h] + fl(s(r) * a[h])))))
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
  float* x = nullptr;        // [gates][n]; what is left there means nothing, as in `work`
  const float* h = nullptr;  // [n]
  float* c = nullptr;        // [n], of an LSTM; replaced
  float* y = nullptr;        // [n], the next h; overlaps nothing
  float* work = nullptr;     // [n], of a GRU
  float bound = 0;           // +inf: none
  // The units from last to first. Where R is larger than L1, steps that go up and down in turn find
  // a part of it there.
  bool down = false;
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
