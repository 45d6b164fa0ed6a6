// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_f32/conv_f32.h"
#include "kernels/x86_avx2_gemm_f32.h"

namespace medulla {
namespace {

size_t scratch_bytes(const ConvGeometry& conv) { return conv_f32_scratch_bytes(kTileRows, conv); }

void run(const ConvF32& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& conv = a.conv;
  ConvF32Walk walk = conv_f32_walk(kTileColumns, a, begin);
  const size_t most = conv_f32_block_pixels(kTileRows, conv);
  const size_t columns = conv.out_channels / conv.groups;
  const float** const pointers = static_cast<const float**>(scratch);
  float* const edges = reinterpret_cast<float*>(pointers + most * conv.kernel_h * conv.kernel_w);
  BlockF32 block = {};
  block.taps = walk.taps;
  block.channels = walk.length;
  block.ldc = a.out_stride;
  block.ldr = a.residual_stride;
  block.columns = columns;
  block.lo = a.lo;
  block.hi = a.hi;
  for (size_t p = begin; p < end; p += most) {
    const size_t pixels = end - p < most ? end - p : most;
    float* edge = edges;
    for (size_t i = 0; i < pixels;) {
      const size_t height = tile_rows(pixels - i);
      edge = conv_f32_point(a, &walk, height, pointers + i * walk.taps, edge);
      i += height;
    }
    for (size_t group = 0; group < conv.groups; ++group) {
      block.b = conv_f32_panels(kTileColumns, conv, a.weights, group);
      block.a_offset = group * (conv.in_channels / conv.groups);
      block.c = a.out + p * a.out_stride + group * columns;
      block.residual =
          a.residual != nullptr ? a.residual + p * a.residual_stride + group * columns : nullptr;
      run_block_f32(block, pointers, pixels);
    }
  }
}

}  // namespace

extern const ConvF32Kernel conv_f32_6x16_avx2;
const ConvF32Kernel conv_f32_6x16_avx2 = {kTileRows, kTileColumns, scratch_bytes, run};

}  // namespace medulla
