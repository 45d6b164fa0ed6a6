// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/convolution.h"

#include <algorithm>
#include <cstring>

namespace medulla::cpu {
namespace {

// Entry `i` of an attribute that is absent or has one entry a spatial dimension.
int64_t entry(std::span<const int64_t> values, size_t i, int64_t otherwise) {
  return i < values.size() ? values[i] : otherwise;
}

bool all_are(std::span<const int64_t> values, int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [=](int64_t v) { return v == wanted; });
}

// Adds what a Pad node puts before and after the spatial dimensions.
mdl_status add_pad(const NodeView& pad, uint32_t spatial, size_t* top, size_t* left,
                   mdl_error* error) {
  const std::span<const int64_t> pads = pad.ints("pads");
  const size_t rank = spatial + 2;
  if (std::strcmp(pad.string_or("mode", "constant"), "constant") != 0) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "Pad before it is not constant");
  }
  if (pad.float_or("value", 0.0) != 0.0) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "Pad before it has a value other than 0");
  }
  if (pads.size() != 2 * rank) return fail(error, MDL_ERROR_UNSUPPORTED, "Pad has another rank");
  for (size_t i = 0; i < pads.size(); ++i) {
    const size_t dimension = i % rank;
    const bool outside = dimension == 0 || dimension == rank - 1;
    if (pads[i] < 0 || (outside && pads[i] != 0)) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "Pad before it cuts, or pads batch or channels");
    }
  }
  *left += static_cast<size_t>(pads[spatial]);
  if (spatial == 2) *top += static_cast<size_t>(pads[1]);
  return MDL_OK;
}

}  // namespace

bool is_pointwise(const NodeView& conv) {
  const mdl_tensor& w = *conv.input(1);
  return conv.int_or("group", 1) == 1 && all_are({w.dims + 1, w.rank - 2}, 1) &&
         all_are(conv.ints("strides"), 1) && all_are(conv.ints("pads"), 0);
}

bool is_depthwise(const NodeView& conv) {
  const mdl_tensor& w = *conv.input(1);
  return w.dims[w.rank - 1] == 1 && conv.int_or("group", 1) == w.dims[0];
}

mdl_status read_convolution(const mdl_graph& graph, const mdl_node& conv, const mdl_node* pad,
                            ConvGeometry* geometry, mdl_error* error) {
  const NodeView node(graph, conv);
  const mdl_tensor& w = *node.input(1);
  if (w.dtype == MDL_INT32) return fail(error, MDL_ERROR_UNSUPPORTED, "weights are int32");
  if (w.data == nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "weights are not constant");
  if (w.rank != 3 && w.rank != 4) {
    return fail(error, MDL_ERROR_UNSUPPORTED, w.rank - 2, " spatial dimensions");
  }
  const uint32_t spatial = w.rank - 2;
  const size_t x = spatial - 1;  // index of the width among the spatial dimensions
  const std::span<const int64_t> strides = node.ints("strides");
  const std::span<const int64_t> dilations = node.ints("dilations");
  const std::span<const int64_t> pads = node.ints("pads");
  ConvGeometry& g = *geometry;
  g.kernel_w = static_cast<size_t>(w.dims[1 + x]);
  g.stride_w = static_cast<size_t>(entry(strides, x, 1));
  g.dilation_w = static_cast<size_t>(entry(dilations, x, 1));
  g.pad_left = static_cast<size_t>(entry(pads, x, 0));
  if (spatial == 2) {
    g.kernel_h = static_cast<size_t>(w.dims[1]);
    g.stride_h = static_cast<size_t>(entry(strides, 0, 1));
    g.dilation_h = static_cast<size_t>(entry(dilations, 0, 1));
    g.pad_top = static_cast<size_t>(entry(pads, 0, 0));
  }
  g.groups = static_cast<size_t>(node.int_or("group", 1));
  g.out_channels = static_cast<size_t>(w.dims[0]);
  g.in_channels = static_cast<size_t>(w.dims[w.rank - 1]) * g.groups;
  if (pad == nullptr) return MDL_OK;
  return add_pad({graph, *pad}, spatial, &g.pad_top, &g.pad_left, error);
}

void set_pictures(const mdl_shape& input, const mdl_shape& output, ConvGeometry* geometry) {
  const bool signal = input.rank == 3;
  geometry->batch = static_cast<size_t>(input.dims[0]);
  geometry->in_h = signal ? 1 : static_cast<size_t>(input.dims[1]);
  geometry->in_w = static_cast<size_t>(input.dims[input.rank - 2]);
  geometry->out_h = signal ? 1 : static_cast<size_t>(output.dims[1]);
  geometry->out_w = static_cast<size_t>(output.dims[output.rank - 2]);
}

uint64_t convolution_macs(const ConvGeometry& g) {
  return uint64_t{g.batch} * g.out_h * g.out_w * g.out_channels * g.kernel_h * g.kernel_w *
         (g.in_channels / g.groups);
}

}  // namespace medulla::cpu
