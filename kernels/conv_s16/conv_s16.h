// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_S16_CONV_S16_H_
#define MEDULLA_KERNELS_CONV_S16_CONV_S16_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/conv.h"
#include "kernels/row.h"
#include "kernels/s8.h"

// Of int16 with int8 weights: out[p][o] = rne(clamp(double(sum) * scale[o])) + zero_point, one
// rounding of the product, sum over ky, kx, c of (in - z_in)(w[o][ky][kx][c] - z_w[o]) + bias[o],
// exact, as the converter has proved; padding is z_in and adds nothing. Output channel o sums over
// the input channels of its group alone. A product of matrices is a convolution of one row of
// pixels. Every row gives these bytes. Nothing outside the tensors is read or written.
namespace medulla {

struct ConvS16Problem : KernelRequest {
  ConvGeometry conv;
};

// The weights as WeightsS8 has them, k in the order ky, kx, c, without its bias and scale.
struct WeightsS16 {
  WeightsS8 weights;
  const int64_t* bias = nullptr;  // [n], or null for 0
  const double* scale = nullptr;  // [n]: s_x * s_w / s_y
};

struct ConvS16 {
  ConvGeometry conv;
  const int16_t* in = nullptr;
  size_t in_stride = 0;           // from pixel to pixel, at least the channels
  int32_t in_zero_point = 0;      // the one that was packed for
  const void* weights = nullptr;  // packed by the same kernel, aligned to kPackAlign
  int16_t* out = nullptr;         // does not overlap in
  size_t out_stride = 0;
  int32_t zero_point = 0;
  int32_t min = -32768;
  int32_t max = 32767;
};

struct ConvS16Kernel {
  // The packed bytes hold no pointers; they depend on the arguments alone.
  size_t (*packed_bytes)(const ConvGeometry& conv);
  void (*pack)(const ConvGeometry& conv, const WeightsS16& w, int32_t in_zero_point, void* packed);
  // What run needs, aligned to kPackAlign; its contents need not last from call to call.
  size_t (*scratch_bytes)(const ConvGeometry& conv);
  // Computes all channels of the output pixels [begin, end).
  void (*run)(const ConvS16& a, size_t begin, size_t end, void* scratch);
};

static inline size_t scratch_bytes(const ConvS16Kernel& kernel, const ConvS16Problem& problem) {
  return kernel.scratch_bytes(problem.conv);
}

using ConvS16Row = Row<ConvS16Kernel, ConvS16Problem>;
std::span<const ConvS16Row> conv_s16_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_S16_CONV_S16_H_
