// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_DWCONV_F32_DWCONV_F32_H_
#define MEDULLA_KERNELS_DWCONV_F32_DWCONV_F32_H_

#include <cstddef>
#include <span>

#include "kernels/conv.h"
#include "kernels/row.h"

// Depthwise convolution: groups = in_channels = out_channels.
// out[p][c] = clamp(sum over ky, kx of in * w[c][ky][kx] + bias[c] (+ residual[p][c])), ordered
// FP32 as conv_f32 says: the chain starts from bias[c] + 0.0f, goes through ky, kx ascending with
// padding as +0, then takes the residual, then lo and hi; NaN is kept, its bits are not promised.
// Equal bytes from every row. Nothing outside the tensors is read or written.
namespace medulla {

struct DwConvF32Problem : KernelRequest {
  ConvGeometry conv;
};

// Strides are floats from pixel to pixel, at least the channels.
struct DwConvF32 {
  ConvGeometry conv;
  const float* in = nullptr;
  size_t in_stride = 0;
  const void* weights = nullptr;    // packed for the same kernel, aligned to kPackAlign
  const float* residual = nullptr;  // or null; may be out itself (with its stride)
  size_t residual_stride = 0;
  float* out = nullptr;  // does not overlap in
  size_t out_stride = 0;
  float lo = 0;
  float hi = 0;
};

struct DwConvF32Kernel {
  size_t nr;  // channels of a panel
  // What run needs, aligned to kPackAlign; its contents need not last from call to call.
  size_t (*scratch_bytes)(const ConvGeometry& conv);
  // Computes all channels of the output pixels [begin, end), counted as in conv.h; whole rows
  // are best.
  void (*run)(const DwConvF32& a, size_t begin, size_t end, void* scratch);
};

static inline size_t scratch_bytes(const DwConvF32Kernel& kernel, const DwConvF32Problem& problem) {
  return kernel.scratch_bytes(problem.conv);
}

using DwConvF32Row = Row<DwConvF32Kernel, DwConvF32Problem>;
std::span<const DwConvF32Row> dwconv_f32_rows();

// Packed weights: for each nr channels the nr biases, then kernel_h * kernel_w times nr weights;
// what lies past the channels is +0; then a row of zeros, one for each channel, that stands for
// padding. `weights` is [channels][kernel_h][kernel_w], dense; `bias` is null or has one entry a
// channel.
size_t dwconv_f32_packed_bytes(size_t nr, const ConvGeometry& conv);
void dwconv_f32_pack(size_t nr, const ConvGeometry& conv, const float* weights, const float* bias,
                     void* packed);

// For kernels: the row of zeros.
const float* dwconv_f32_zeros(size_t nr, const ConvGeometry& conv, const void* packed);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_DWCONV_F32_DWCONV_F32_H_
