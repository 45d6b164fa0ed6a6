// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_S8_LINES_H_
#define MEDULLA_KERNELS_CONV_S8_LINES_H_

#include "kernels/conv_s8/conv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"

// conv_s8 as products of matrices without gathering: the lines of the picture that a row of outputs
// reads are turned into a kernel's form, with their padding. What an output multiplies is then a
// part of each line, which overlaps that of the next output; the weights of each line begin a group
// of the packing. Blocks is as gemm_s8/blocks.h says, with fold for pack_s8, and kTakesInputs: its
// Values are inputs as they are. kGemm was made of the same.
namespace medulla {

template <class Blocks, const GemmS8Kernel& kGemm>
struct ConvS8Lines {
  using Value = typename Blocks::Value;

  static size_t packed_bytes(const ConvGeometry& c, const WeightsS8& w) {
    return packed_bytes_s8(w.n, w.k, Blocks::kPacking, c.kernel_h);
  }

  static void pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point, void* packed) {
    pack_s8(w, Blocks::kPacking, Blocks::fold(in_zero_point), packed, c.kernel_h);
  }

  // What an output multiplies of a line, in whole groups.
  static size_t depth_of(const ConvGeometry& c) {
    return depth_s8(Blocks::kPacking, c.kernel_w * c.in_channels);
  }

  static size_t line_columns(const ConvGeometry& c, size_t outputs) {
    return (outputs - 1) * c.stride_w + c.kernel_w;
  }

  // With what the last output reads past its columns.
  static size_t line_values(const ConvGeometry& c, size_t columns) {
    return (columns - c.kernel_w) * c.in_channels + depth_of(c);
  }

  // Outputs of a row whose lines may be made at a time.
  static size_t most_outputs(const ConvGeometry& c) {
    const size_t most = Blocks::block_rows(c.kernel_h * c.stride_w * c.in_channels);
    return c.out_w < most ? c.out_w : most;
  }

  static size_t line_stride(const ConvGeometry& c) {
    return line_values(c, line_columns(c, most_outputs(c)));
  }

  static size_t scratch_bytes(const ConvGeometry& c) {
    return c.kernel_h * line_stride(c) * sizeof(Value);
  }

  // `columns` columns from `first` on, counted from the padding's first, of row `in_y` of an image;
  // all is padding if it has no such row.
  static void make_line(const ConvS8& a, size_t image, size_t in_y, size_t first, size_t columns,
                        Value* to) {
    const ConvGeometry& c = a.conv;
    const size_t channels = c.in_channels;
    const Value padding = Blocks::padding(a.in_zero_point);
    const size_t end = line_values(c, columns);
    const size_t skip = c.pad_left > first ? c.pad_left - first : 0;
    const size_t left = skip < columns && in_y < c.in_h ? skip : columns;
    const size_t x = first + left - c.pad_left;
    size_t inside = left < columns && x < c.in_w ? c.in_w - x : 0;
    inside = inside < columns - left ? inside : columns - left;
    size_t at = 0;
    while (at < left * channels) to[at++] = padding;
    if (inside > 0) {
      const int8_t* in = a.in + ((image * c.in_h + in_y) * c.in_w + x) * a.in_stride;
      const bool dense = a.in_stride == channels;
      const size_t step = dense ? inside : 1;
      for (size_t i = 0; i < inside; i += step, in += a.in_stride, at += step * channels) {
        Blocks::take(in, step * channels, a.in_zero_point, to + at);
      }
    }
    while (at < end) to[at++] = padding;
  }

  // Whether the inputs of each output are a row of values as they are.
  static bool are_inputs(const ConvGeometry& c) {
    return c.kernel_h * c.kernel_w * c.stride_h * c.stride_w == 1 && c.pad_top + c.pad_left == 0 &&
           c.out_h == c.in_h && c.out_w == c.in_w && depth_of(c) == c.in_channels;
  }

  static void run_inputs(const ConvS8& a, size_t begin, size_t end) {
    const size_t depth = a.conv.in_channels;
    const size_t most = Blocks::block_rows(depth);
    for (size_t p = begin; p < end; p += most) {
      kGemm.block(a.out, p, 0, a.conv.out_channels, a.weights,
                  {a.in + p * a.in_stride, end - p < most ? end - p : most, a.in_stride, depth});
    }
  }

  static void run(const ConvS8& a, size_t first_unit, size_t last_unit, void* scratch) {
    const ConvGeometry& c = a.conv;
    const size_t all = c.batch * c.out_h * c.out_w;
    const size_t end = last_unit * Blocks::kRows < all ? last_unit * Blocks::kRows : all;
    if constexpr (Blocks::kTakesInputs) {
      if (are_inputs(c)) return run_inputs(a, first_unit * Blocks::kRows, end);
    }
    const size_t stride = line_stride(c);
    const size_t parts = (c.out_w + most_outputs(c) - 1) / most_outputs(c);
    const size_t most = (c.out_w + parts - 1) / parts;
    size_t count = 0;
    for (size_t p = first_unit * Blocks::kRows; p < end; p += count) {
      const size_t x = p % c.out_w;
      const size_t y = p / c.out_w % c.out_h;
      const size_t image = p / c.out_w / c.out_h;
      count = c.out_w - x < end - p ? c.out_w - x : end - p;
      count = count < most ? count : most;
      for (size_t ky = 0; ky < c.kernel_h; ++ky) {
        const size_t in_y = y * c.stride_h + ky * c.dilation_h - c.pad_top;  // huge if negative
        make_line(a, image, in_y, x * c.stride_w, line_columns(c, count),
                  static_cast<Value*>(scratch) + ky * stride);
      }
      kGemm.block(a.out, p, 0, c.out_channels, a.weights,
                  {scratch, count, c.stride_w * c.in_channels, depth_of(c), c.kernel_h, stride});
    }
  }

  static constexpr ConvS8Kernel kKernel = {conv_s8_units<Blocks::kRows>, packed_bytes, pack,
                                           scratch_bytes, run};
};

}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_S8_LINES_H_
