// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_S8_BLOCKS_H_
#define MEDULLA_KERNELS_CONV_S8_BLOCKS_H_

#include <cstring>

#include "kernels/conv_s8/conv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"

// conv_s8 as products of matrices: the taps of each output pixel are gathered into a row. Blocks is
// as gemm_s8/blocks.h says; kGemm was made of the same.
namespace medulla {

template <class Blocks, const GemmS8Kernel& kGemm>
struct ConvS8Blocks {
  using Value = typename Blocks::Value;

  // Values of a row: all taps of a group of channels, to whole groups of the packing.
  static size_t depth_of(const ConvGeometry& c) {
    return depth_s8(Blocks::kPacking, c.kernel_h * c.kernel_w * (c.in_channels / c.groups));
  }

  static size_t packed_bytes(const ConvGeometry& conv, const WeightsS8&) {
    return conv_s8_packed_bytes(conv, kGemm.packed_bytes);
  }

  static void pack(const ConvGeometry& conv, const WeightsS8& w, int32_t in_zero_point,
                   void* packed) {
    conv_s8_pack(conv, w, in_zero_point, kGemm.packed_bytes, kGemm.pack, packed);
  }

  static size_t scratch_bytes(const ConvGeometry& conv) {
    return Blocks::block_bytes(depth_of(conv));
  }

  struct Pixel {
    size_t image;
    size_t y;
    size_t x;
  };

  // The taps of output pixel `p`. `in` is the first channel of the group in the first pixel.
  static void gather(const ConvS8& a, const Pixel& p, const int8_t* in, Value* to) {
    const ConvGeometry& c = a.conv;
    const size_t channels = c.in_channels / c.groups;
    const Value padding = Blocks::padding(a.in_zero_point);
    const bool dense = c.dilation_w == 1 && a.in_stride == channels;
    const size_t x = p.x * c.stride_w - c.pad_left;  // huge if negative
    for (size_t ky = 0; ky < c.kernel_h; ++ky) {
      const size_t in_y = p.y * c.stride_h + ky * c.dilation_h - c.pad_top;
      if (in_y >= c.in_h) {
        for (size_t i = 0; i < c.kernel_w * channels; ++i) *to++ = padding;
        continue;
      }
      const size_t row = (p.image * c.in_h + in_y) * c.in_w;
      if (dense && x < c.in_w && c.in_w - x >= c.kernel_w) {
        Blocks::take(in + (row + x) * a.in_stride, c.kernel_w * channels, a.in_zero_point, to);
        to += c.kernel_w * channels;
        continue;
      }
      for (size_t kx = 0; kx < c.kernel_w; ++kx, to += channels) {
        const size_t in_x = x + kx * c.dilation_w;
        if (in_x < c.in_w) {
          Blocks::take(in + (row + in_x) * a.in_stride, channels, a.in_zero_point, to);
        } else {
          for (size_t i = 0; i < channels; ++i) to[i] = padding;
        }
      }
    }
  }

  static void run(const ConvS8& a, size_t first_unit, size_t last_unit, void* scratch) {
    const ConvGeometry& c = a.conv;
    const size_t all = c.batch * c.out_h * c.out_w;
    const size_t begin = first_unit * Blocks::kRows;
    const size_t end = last_unit * Blocks::kRows < all ? last_unit * Blocks::kRows : all;
    const size_t in_channels = c.in_channels / c.groups;
    const size_t out_channels = c.out_channels / c.groups;
    const size_t k = c.kernel_h * c.kernel_w * in_channels;
    const size_t depth = depth_of(c);
    const size_t most = Blocks::block_rows(depth);
    const size_t group_bytes = conv_s8_packed_bytes(c, kGemm.packed_bytes) / c.groups;
    for (size_t p = begin; p < end; p += most) {
      const size_t pixels = end - p < most ? end - p : most;
      for (size_t group = 0; group < c.groups; ++group) {
        const void* const panels =
            static_cast<const unsigned char*>(a.weights) + group * group_bytes;
        Pixel pixel = {p / c.out_w / c.out_h, p / c.out_w % c.out_h, p % c.out_w};
        typename Blocks::Rows block(panels, scratch, pixels, depth);
        for (size_t i = 0; i < pixels; ++i) {
          Value* const row = block.next();
          clear_tail_s8(Blocks::kPacking, k, depth, row);
          gather(a, pixel, a.in + group * in_channels, row);
          block.done();
          if (++pixel.x < c.out_w) continue;
          pixel.x = 0;
          if (++pixel.y < c.out_h) continue;
          pixel.y = 0;
          ++pixel.image;
        }
        kGemm.block(a.out, p, group * out_channels, out_channels, panels,
                    {scratch, pixels, depth, depth});
      }
    }
  }

  static constexpr ConvS8Kernel kKernel = {conv_s8_units<Blocks::kRows>, packed_bytes, pack,
                                           scratch_bytes, run};
};

}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_S8_BLOCKS_H_
