// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_f32/conv_f32.h"

#include <cstring>

#include "kernels/gemm_f32/gemm_f32.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvF32Kernel name;
#include "medulla_rows/conv_f32.inc"
#undef MDL_KERNEL

namespace {

const char* conv_f32_fits_any(const ConvF32Problem&) { return nullptr; }

constexpr ConvF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/conv_f32.inc"
#undef MDL_KERNEL
};

size_t depth(const ConvGeometry& conv) {
  return conv.kernel_h * conv.kernel_w * (conv.in_channels / conv.groups);
}

size_t group_bytes(size_t nr, const ConvGeometry& conv) {
  return gemm_f32_packed_bytes(nr, conv.out_channels / conv.groups, depth(conv));
}

// Runs are worth it where a tap alone is short. Their copies at the edges stay small in L2.
constexpr size_t kMostRunChannels = 64;
constexpr size_t kMostRunDepth = 2048;
constexpr size_t kBlockEdges = 16384;  // floats
constexpr size_t kBlockPointers = 4096;
constexpr size_t kBlockPixels = 96;  // as gemm_f32's blocks

bool may_run(const ConvGeometry& conv) {
  return conv.kernel_w > 1 && conv.dilation_w == 1 && conv.groups == 1 &&
         conv.in_channels <= kMostRunChannels && depth(conv) <= kMostRunDepth;
}

size_t zero_bytes(const ConvGeometry& conv) {
  return (may_run(conv) ? conv.kernel_w : 1) * conv.in_channels * sizeof(float);
}

// kernel_w pixels from column `x` (huge if negative) of a row, those outside of it as zeros.
void copy_run(const ConvGeometry& conv, const float* row, size_t x, float* to) {
  for (size_t kx = 0; kx < conv.kernel_w; ++kx, ++x, to += conv.in_channels) {
    if (x < conv.in_w) {
      std::memcpy(to, row + x * conv.in_channels, conv.in_channels * sizeof(float));
    } else {
      std::memset(to, 0, conv.in_channels * sizeof(float));
    }
  }
}

}  // namespace

std::span<const ConvF32Row> conv_f32_rows() { return kRows; }

size_t conv_f32_packed_bytes(size_t nr, const ConvGeometry& conv) {
  return conv.groups * group_bytes(nr, conv) + zero_bytes(conv);
}

void conv_f32_pack(size_t nr, const ConvGeometry& conv, const float* weights, const float* bias,
                   void* packed) {
  const size_t n = conv.out_channels / conv.groups;
  const size_t k = depth(conv);
  unsigned char* to = static_cast<unsigned char*>(packed);
  for (size_t group = 0; group < conv.groups; ++group) {
    gemm_f32_pack(nr, n, k, weights + group * n * k, 1, k,
                  bias != nullptr ? bias + group * n : nullptr, to);
    to += group_bytes(nr, conv);
  }
  std::memset(to, 0, zero_bytes(conv));
}

const float* conv_f32_panels(size_t nr, const ConvGeometry& conv, const void* packed,
                             size_t group) {
  return static_cast<const float*>(packed) + group * (group_bytes(nr, conv) / sizeof(float));
}

ConvF32Walk conv_f32_walk(size_t nr, const ConvF32& a, size_t first) {
  const ConvGeometry& conv = a.conv;
  ConvF32Walk walk = {};
  if (may_run(conv) && a.in_stride == conv.in_channels) {
    walk.taps = conv.kernel_h;
    walk.length = conv.kernel_w * conv.in_channels;
  } else {
    walk.taps = conv.kernel_h * conv.kernel_w;
    walk.length = conv.in_channels / conv.groups;
  }
  walk.zeros = conv_f32_panels(nr, conv, a.weights, conv.groups);
  walk.x = first % conv.out_w;
  walk.y = first / conv.out_w % conv.out_h;
  walk.image = first / conv.out_w / conv.out_h;
  const auto inner = [](size_t in, size_t kernel, size_t stride, size_t dilation, size_t pad,
                        size_t* begin, size_t* end) {
    const size_t reach = (kernel - 1) * dilation;
    *begin = (pad + stride - 1) / stride;
    *end = in + pad > reach ? (in + pad - reach - 1) / stride + 1 : 0;
  };
  inner(conv.in_w, conv.kernel_w, conv.stride_w, conv.dilation_w, conv.pad_left, &walk.inner_x,
        &walk.inner_x_end);
  inner(conv.in_h, conv.kernel_h, conv.stride_h, conv.dilation_h, conv.pad_top, &walk.inner_y,
        &walk.inner_y_end);
  return walk;
}

float* conv_f32_point(const ConvF32& a, ConvF32Walk* walk, size_t pixels, const float** pointers,
                      float* edges) {
  const ConvGeometry& conv = a.conv;
  const size_t kernel_w = walk->taps / conv.kernel_h;  // 1 where a row of taps is one run
  if (walk->x >= walk->inner_x && walk->x + pixels <= walk->inner_x_end &&
      walk->x + pixels < conv.out_w && walk->y >= walk->inner_y && walk->y < walk->inner_y_end) {
    const size_t y = walk->y * conv.stride_h - conv.pad_top;
    const size_t x = walk->x * conv.stride_w - conv.pad_left;
    const float* row = a.in + ((walk->image * conv.in_h + y) * conv.in_w + x) * a.in_stride;
    const size_t step = conv.stride_w * a.in_stride;
    for (size_t ky = 0; ky < conv.kernel_h; ++ky) {
      const float* tap = row;
      for (size_t kx = 0; kx < kernel_w; ++kx, pointers += pixels) {
        for (size_t i = 0; i < pixels; ++i) pointers[i] = tap + i * step;
        tap += conv.dilation_w * a.in_stride;
      }
      row += conv.dilation_h * conv.in_w * a.in_stride;
    }
    walk->x += pixels;
    return edges;
  }
  for (size_t i = 0; i < pixels; ++i) {
    const float** to = pointers + i;
    const size_t x0 = walk->x * conv.stride_w - conv.pad_left;  // huge if negative
    for (size_t ky = 0; ky < conv.kernel_h; ++ky) {
      const size_t in_y = walk->y * conv.stride_h + ky * conv.dilation_h - conv.pad_top;
      const size_t row = (walk->image * conv.in_h + in_y) * conv.in_w;  // its first pixel
      for (size_t kx = 0; kx < kernel_w; ++kx, to += pixels) {
        const size_t in_x = x0 + kx * conv.dilation_w;
        if (in_y >= conv.in_h) {
          *to = walk->zeros;
        } else if (kernel_w == conv.kernel_w) {
          *to = in_x < conv.in_w ? a.in + (row + in_x) * a.in_stride : walk->zeros;
        } else if (walk->x >= walk->inner_x && walk->x < walk->inner_x_end) {
          *to = a.in + (row + in_x) * a.in_stride;
        } else {
          copy_run(conv, a.in + row * a.in_stride, in_x, edges);
          *to = edges;
          edges += walk->length;
        }
      }
    }
    if (++walk->x == conv.out_w) {
      walk->x = 0;
      if (++walk->y == conv.out_h) {
        walk->y = 0;
        ++walk->image;
      }
    }
  }
  return edges;
}

size_t conv_f32_block_pixels(size_t mr, const ConvGeometry& conv) {
  size_t pixels = kBlockPointers / (conv.kernel_h * conv.kernel_w);
  if (may_run(conv) && pixels > kBlockEdges / depth(conv)) pixels = kBlockEdges / depth(conv);
  if (pixels > kBlockPixels) pixels = kBlockPixels;
  return pixels < mr ? mr : pixels / mr * mr;
}

size_t conv_f32_scratch_bytes(size_t mr, const ConvGeometry& conv) {
  const size_t pixels = conv_f32_block_pixels(mr, conv);
  const size_t edges = may_run(conv) ? depth(conv) * sizeof(float) : 0;
  return pixels * (conv.kernel_h * conv.kernel_w * sizeof(float*) + edges);
}

}  // namespace medulla
