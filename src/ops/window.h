// SPDX-License-Identifier: Apache-2.0
// The windows that convolutions and pools move over the spatial dimensions of [N, spatial..., C].
#ifndef MEDULLA_SRC_OPS_WINDOW_H_
#define MEDULLA_SRC_OPS_WINDOW_H_

#include "src/ops/op.h"

namespace medulla {

struct WindowAxis {
  int64_t in = 1;
  int64_t out = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t begin = 0;  // padding
  int64_t end = 0;

  // The input's index under a tap; outside [0, in) in the padding.
  int64_t at(int64_t output, int64_t tap) const { return output * stride + tap * dilation - begin; }
  // The taps [first, last) that lie in [low, high) of the input's indices.
  int64_t first_tap(int64_t output, int64_t low) const {
    const int64_t start = at(output, 0);
    return start < low ? (low - start + dilation - 1) / dilation : 0;
  }
  int64_t last_tap(int64_t output, int64_t high) const {
    const int64_t start = at(output, 0);
    const int64_t last = start < high ? (high - start + dilation - 1) / dilation : 0;
    return last < kernel ? last : kernel;
  }
};

// One to three spatial dimensions, right-aligned; the others are 1 wide. Pixels of one image and
// taps are counted in order, the last dimension fastest.
struct Window {
  WindowAxis axis[3];

  int64_t inputs() const { return axis[0].in * axis[1].in * axis[2].in; }
  int64_t outputs() const { return axis[0].out * axis[1].out * axis[2].out; }
  int64_t taps() const { return axis[0].kernel * axis[1].kernel * axis[2].kernel; }

  // The input pixel under a tap of an output pixel; -1 in the padding.
  int64_t pixel(int64_t output, int64_t tap) const;
  // For a transposed convolution: the input pixel that the tap spreads to the output pixel; -1 when
  // there is none.
  int64_t transposed_pixel(int64_t output, int64_t tap) const;
  // Calls visit(pixel) for each tap of an output pixel that lies in the input, in order. The work
  // is bounded by the input, however many taps there are.
  template <class Visit>
  void for_each_pixel(int64_t output, Visit visit) const;
  // The taps of an output pixel that lie in the input, or in its padding too: what ceil_mode hangs
  // over is not counted.
  int64_t count(int64_t output, bool with_padding) const;
};

template <class Visit>
void Window::for_each_pixel(int64_t output, Visit visit) const {
  const int64_t at[3] = {output / axis[2].out / axis[1].out, output / axis[2].out % axis[1].out,
                         output % axis[2].out};
  int64_t first[3];
  int64_t last[3];
  for (int d = 0; d < 3; ++d) {
    first[d] = axis[d].first_tap(at[d], 0);
    last[d] = axis[d].last_tap(at[d], axis[d].in);
  }
  for (int64_t i = first[0]; i < last[0]; ++i) {
    for (int64_t j = first[1]; j < last[1]; ++j) {
      const int64_t row = axis[0].at(at[0], i) * axis[1].in + axis[1].at(at[1], j);
      for (int64_t k = first[2]; k < last[2]; ++k) visit(row * axis[2].in + axis[2].at(at[2], k));
    }
  }
}

// Reads strides, dilations, pads and ceil_mode for a kernel over x, and computes the outputs'
// extents. All extents and products of extents are safe to compute with afterwards.
mdl_status read_window(const NodeView& node, const mdl_shape& x, std::span<const int64_t> kernel,
                       Window* window, mdl_error* error);

// The kernel is the attribute kernel_shape, and every window has a tap in the input.
mdl_status read_pool(const NodeView& node, const mdl_shape& x, Window* window, mdl_error* error);

// A convolution with weights [O, kernel..., C / group].
struct Convolution {
  Window window;
  int64_t group = 1;
  int64_t group_in = 0;  // channels of one group
  int64_t group_out = 0;

  int64_t in_channels() const { return group * group_in; }
  int64_t out_channels() const { return group * group_out; }
};
mdl_status read_convolution(const NodeView& node, const mdl_shape& x, const mdl_shape& w,
                            Convolution* convolution, mdl_error* error);
// The same with the extents of ConvTranspose, which has output_padding.
mdl_status read_transposed_convolution(const NodeView& node, const mdl_shape& x, const mdl_shape& w,
                                       Convolution* convolution, mdl_error* error);

// x with the spatial dimensions and the channels of an output.
mdl_shape window_output(const mdl_shape& x, const Window& window, int64_t channels);

// Op::macs of operators whose input 1 is weights [O, kernel..., C / group] and that give each
// element of output 0 one sum over a kernel.
uint64_t convolution_macs(const NodeView&, std::span<const TensorType> inputs,
                          std::span<const TensorType> outputs);

// The bias may be left out, else it has one value a channel.
mdl_status check_channels(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                          int64_t channels, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_WINDOW_H_
