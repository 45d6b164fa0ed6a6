// SPDX-License-Identifier: Apache-2.0
#include "src/ops/window.h"

#include <limits>

#include "src/base/checked.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

// With extents and attributes up to this, one product of two and a few sums fit 64 bits.
constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max();

mdl_status check_entry(const NodeView& node, const char* name, size_t i, int64_t value,
                       int64_t least, mdl_error* error) {
  if (value >= least && value <= kMaxExtent) return MDL_OK;
  return fail_node(error, MDL_ERROR_SHAPE, node, name, '[', i, "] is ", value, ", should be from ",
                   least, " to ", kMaxExtent);
}

// Calls set(i, value) for each entry of a list attribute, which may be left out.
template <class Set>
mdl_status read_list(const NodeView& node, const char* name, size_t count, int64_t least,
                     mdl_error* error, Set set) {
  const std::span<const int64_t> values = node.ints(name);
  if (values.empty()) return MDL_OK;
  if (values.size() != count) {
    return fail_node(error, MDL_ERROR_SHAPE, node, name, " has ", values.size(),
                     " entries, should have ", count);
  }
  for (size_t i = 0; i < count; ++i) {
    MDL_TRY(check_entry(node, name, i, values[i], least, error));
    set(i, values[i]);
  }
  return MDL_OK;
}

// All but the outputs' extents.
mdl_status read_attributes(const NodeView& node, const mdl_shape& x,
                           std::span<const int64_t> kernel, Window* window, mdl_error* error) {
  const size_t spatial = kernel.size();
  if (spatial < 1 || spatial > 3 || x.rank != spatial + 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, " and the kernel has ",
                     spatial, " dimensions; should be 1 to 3 between those of batch and channels");
  }
  *window = {};
  WindowAxis* axis = window->axis + (3 - spatial);
  for (size_t d = 0; d < spatial; ++d) {
    MDL_TRY(check_entry(node, "kernel", d, kernel[d], 1, error));
    MDL_TRY(check_entry(node, "the input's spatial dimensions", d, x.dims[1 + d], 0, error));
    axis[d].kernel = kernel[d];
    axis[d].in = x.dims[1 + d];
  }
  MDL_TRY(read_list(node, "strides", spatial, 1, error,
                    [&](size_t i, int64_t value) { axis[i].stride = value; }));
  MDL_TRY(read_list(node, "dilations", spatial, 1, error,
                    [&](size_t i, int64_t value) { axis[i].dilation = value; }));
  return read_list(node, "pads", 2 * spatial, 0, error, [&](size_t i, int64_t value) {
    (i < spatial ? axis[i].begin : axis[i - spatial].end) = value;
  });
}

mdl_status check_products(const NodeView& node, const Window& window, mdl_error* error) {
  int64_t inputs = 1;
  int64_t outputs = 1;
  int64_t taps = 1;
  for (const WindowAxis& a : window.axis) {
    if (!checked_mul(inputs, a.in, &inputs) || !checked_mul(outputs, a.out, &outputs) ||
        !checked_mul(taps, a.kernel, &taps)) {
      return fail_node(error, MDL_ERROR_SHAPE, node,
                       "the pixels or the taps are too many to count");
    }
  }
  return MDL_OK;
}

mdl_status read_channels(const NodeView& node, const mdl_shape& x, const mdl_shape& w,
                         Convolution* convolution, mdl_error* error) {
  if (w.rank != x.rank || w.rank < 3 || w.rank > 5) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, " and the weights are ", w,
                     ", should have one rank from 3 to 5");
  }
  const int64_t group = node.int_or("group", 1);
  const int64_t channels = x.dims[x.rank - 1];
  const int64_t outputs = w.dims[0];
  int64_t expected;
  if (group < 1 || !checked_mul(w.dims[w.rank - 1], group, &expected) || expected != channels ||
      outputs % group != 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", the weights are ", w,
                     " and group is ", group,
                     "; should be [N, ..., C], [O, ..., C / group] and a divisor of C and O");
  }
  convolution->group = group;
  convolution->group_in = w.dims[w.rank - 1];
  convolution->group_out = outputs / group;
  return MDL_OK;
}

std::span<const int64_t> kernel_of(const mdl_shape& w) { return {w.dims + 1, w.rank - 2}; }

}  // namespace

int64_t Window::pixel(int64_t output, int64_t tap) const {
  int64_t pixel = 0;
  int64_t stride = 1;
  for (int d = 2; d >= 0; --d) {
    const WindowAxis& a = axis[d];
    const int64_t i = a.at(output % a.out, tap % a.kernel);
    if (i < 0 || i >= a.in) return -1;
    pixel += i * stride;
    stride *= a.in;
    output /= a.out;
    tap /= a.kernel;
  }
  return pixel;
}

int64_t Window::transposed_pixel(int64_t output, int64_t tap) const {
  int64_t pixel = 0;
  int64_t stride = 1;
  for (int d = 2; d >= 0; --d) {
    const WindowAxis& a = axis[d];
    const int64_t from = output % a.out + a.begin - tap % a.kernel * a.dilation;
    if (from < 0 || from % a.stride != 0 || from / a.stride >= a.in) return -1;
    pixel += from / a.stride * stride;
    stride *= a.in;
    output /= a.out;
    tap /= a.kernel;
  }
  return pixel;
}

int64_t Window::count(int64_t output, bool with_padding) const {
  int64_t count = 1;
  for (int d = 2; d >= 0; --d) {
    const WindowAxis& a = axis[d];
    const int64_t low = with_padding ? -a.begin : 0;
    const int64_t high = with_padding ? a.in + a.end : a.in;
    count *= a.last_tap(output % a.out, high) - a.first_tap(output % a.out, low);
    output /= a.out;
  }
  return count;
}

mdl_status read_window(const NodeView& node, const mdl_shape& x, std::span<const int64_t> kernel,
                       Window* window, mdl_error* error) {
  MDL_TRY(read_attributes(node, x, kernel, window, error));
  const bool ceil = node.int_or("ceil_mode", 0) != 0;
  for (WindowAxis& a : window->axis) {
    const int64_t reach = (a.kernel - 1) * a.dilation + 1;
    const int64_t room = a.in + a.begin + a.end - reach;
    if (room < 0) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "the kernel reaches over ", reach,
                       " values, more than the ", a.in, " of the input ", x, " with padding ",
                       a.begin, " and ", a.end);
    }
    a.out = room / a.stride + 1;
    // A window may hang over the end, but not start there.
    if (ceil && room % a.stride != 0 && a.out * a.stride < a.in + a.begin) ++a.out;
  }
  return check_products(node, *window, error);
}

mdl_status read_pool(const NodeView& node, const mdl_shape& x, Window* window, mdl_error* error) {
  MDL_TRY(read_window(node, x, node.ints("kernel_shape"), window, error));
  for (const WindowAxis& a : window->axis) {
    const int64_t reach = (a.kernel - 1) * a.dilation + 1;
    if (a.begin >= reach || a.end >= reach || (a.kernel > 1 && a.dilation > a.in)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "a window of ", a.kernel, " taps, dilation ",
                       a.dilation, ", may lie outside the input's ", a.in, " values with padding ",
                       a.begin, " and ", a.end,
                       "; padding should be less than its reach, dilation not more than the input");
    }
  }
  return MDL_OK;
}

mdl_status read_convolution(const NodeView& node, const mdl_shape& x, const mdl_shape& w,
                            Convolution* convolution, mdl_error* error) {
  MDL_TRY(read_channels(node, x, w, convolution, error));
  return read_window(node, x, kernel_of(w), &convolution->window, error);
}

mdl_status read_transposed_convolution(const NodeView& node, const mdl_shape& x, const mdl_shape& w,
                                       Convolution* convolution, mdl_error* error) {
  MDL_TRY(read_channels(node, x, w, convolution, error));
  Window& window = convolution->window;
  MDL_TRY(read_attributes(node, x, kernel_of(w), &window, error));
  int64_t extra[3] = {};
  const size_t spatial = w.rank - 2;
  MDL_TRY(read_list(node, "output_padding", spatial, 0, error,
                    [&](size_t i, int64_t value) { extra[3 - spatial + i] = value; }));
  for (size_t d = 0; d < 3; ++d) {
    WindowAxis& a = window.axis[d];
    // Each term is below 2^62.
    const int64_t spread = (a.in - 1) * a.stride + 1 - a.begin - a.end;
    const int64_t reach = (a.kernel - 1) * a.dilation + extra[d];
    if (a.in < 1 || !checked_add(spread, reach, &a.out) || a.out < 1 || a.out > kMaxExtent) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, " and the weights are ", w,
                       "; an output's extent would be ", a.out, ", should be from 1 to ",
                       kMaxExtent);
    }
  }
  return check_products(node, window, error);
}

mdl_shape window_output(const mdl_shape& x, const Window& window, int64_t channels) {
  mdl_shape shape = x;
  for (uint32_t d = 1; d + 1 < x.rank; ++d) shape.dims[d] = window.axis[d + 4 - x.rank].out;
  shape.dims[x.rank - 1] = channels;
  return shape;
}

uint64_t convolution_macs(const NodeView&, std::span<const TensorType> inputs,
                          std::span<const TensorType> outputs) {
  const mdl_shape& w = inputs[1].shape;
  return static_cast<uint64_t>(outputs[0].elements()) * static_cast<uint64_t>(extent(w, 1, w.rank));
}

mdl_status check_channels(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                          int64_t channels, mdl_error* error) {
  if (i >= inputs.size() || inputs[i].dtype == MDL_DTYPE_NONE) return MDL_OK;
  const mdl_shape& shape = inputs[i].shape;
  if (shape.rank == 1 && shape.dims[0] == channels) return MDL_OK;
  return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", shape, ", should be [",
                   channels, ']');
}

}  // namespace medulla
