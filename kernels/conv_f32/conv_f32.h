// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_F32_CONV_F32_H_
#define MEDULLA_KERNELS_CONV_F32_CONV_F32_H_

#include <cstddef>
#include <span>

#include "kernels/conv.h"
#include "kernels/row.h"

// out[p][o] = clamp(sum over ky, kx, c of in * w[o][ky][kx][c] + bias[o] (+ residual[p][o])),
// ordered FP32:
//   acc = bias[o] + 0.0f                       -0 becomes +0; no bias: +0
//   acc = fma(in, w, acc)                      ky, kx, c ascending; padding takes part as +0
//   acc = acc + residual[p][o]                 if there is one
//   acc = lo > acc ? lo : acc; hi < acc ? hi : acc    keeps NaN; pass -inf, +inf for no clamp
// Output channel o sums over the input channels of its group alone. Equal bytes from every row;
// of a NaN neither sign nor payload is promised. Nothing outside the tensors is read or written.
namespace medulla {

struct ConvF32Problem : KernelRequest {
  ConvGeometry conv;
};

// Strides are floats from pixel to pixel, at least the channels: a tensor may be a slice of a
// wider one.
struct ConvF32 {
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

struct ConvF32Kernel {
  size_t mr;  // pixels of a tile: ranges of a multiple waste nothing
  size_t nr;
  // What run needs, aligned to kPackAlign; its contents need not last from call to call.
  size_t (*scratch_bytes)(const ConvGeometry& conv);
  // Computes all channels of the output pixels [begin, end), counted as in conv.h.
  void (*run)(const ConvF32& c, size_t begin, size_t end, void* scratch);
};

static inline size_t scratch_bytes(const ConvF32Kernel& kernel, const ConvF32Problem& problem) {
  return kernel.scratch_bytes(problem.conv);
}

using ConvF32Row = Row<ConvF32Kernel, ConvF32Problem>;
std::span<const ConvF32Row> conv_f32_rows();

// Packed weights: for each group gemm_f32's panels, with k = (ky, kx, c); then a row of zeros that
// stands for padding. `weights` is [out_channels][kernel_h][kernel_w][in_channels / groups], dense;
// `bias` is null or has out_channels entries.
size_t conv_f32_packed_bytes(size_t nr, const ConvGeometry& conv);
void conv_f32_pack(size_t nr, const ConvGeometry& conv, const float* weights, const float* bias,
                   void* packed);

// For kernels: the panels of `group`.
const float* conv_f32_panels(size_t nr, const ConvGeometry& conv, const void* packed, size_t group);

// A walk over output pixels and their taps. Where the pixels of a row follow one another and have
// few channels, a row of taps is one run of kernel_w * in_channels values, else each tap is one of
// in_channels / groups.
struct ConvF32Walk {
  size_t taps;
  size_t length;  // floats of each
  const float* zeros;
  size_t x;  // the next output pixel
  size_t y;
  size_t image;
  size_t inner_x;  // outputs [inner_x, inner_x_end) of a row have all columns in the picture
  size_t inner_x_end;
  size_t inner_y;  // likewise
  size_t inner_y_end;
};
ConvF32Walk conv_f32_walk(size_t nr, const ConvF32& a, size_t first);

// Points pointers[tap * pixels + i] to what the tap of the i-th next output pixel reads, for the
// first group, and goes on by `pixels`; in padding that is the row of zeros. Runs across an edge
// of the picture are put together in `edges`, taps * length floats for each pixel; returns what is
// left of them.
float* conv_f32_point(const ConvF32& a, ConvF32Walk* walk, size_t pixels, const float** pointers,
                      float* edges);

// The pixels that a kernel with tiles of `mr` pixels should take at a time, a multiple of mr, and
// the scratch it then needs for pointers, which come first, and edges.
size_t conv_f32_block_pixels(size_t mr, const ConvGeometry& conv);
size_t conv_f32_scratch_bytes(size_t mr, const ConvGeometry& conv);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_F32_CONV_F32_H_
