// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/pooling.h"

#include "backends/cpu/chain.h"
#include "src/ops/window.h"

namespace medulla::cpu {
namespace {

size_t extent(int64_t value) { return static_cast<size_t>(value); }

}  // namespace

mdl_status read_pooling(const NodeView& node, const mdl_shape& input, PoolGeometry* geometry,
                        mdl_error* error) {
  if (input.rank != 3 && input.rank != 4) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "not one or two spatial dimensions");
  }
  PoolGeometry& g = *geometry;
  g = {};
  g.batch = extent(input.dims[0]);
  g.channels = extent(input.dims[input.rank - 1]);
  if (node.attribute("kernel_shape") == nullptr) {
    g.in_h = g.kernel_h = input.rank == 4 ? extent(input.dims[1]) : 1;
    g.in_w = g.kernel_w = extent(input.dims[input.rank - 2]);
    return MDL_OK;
  }
  Window window;
  MDL_TRY(read_pool(node, input, &window, error));
  const WindowAxis& y = window.axis[1];
  const WindowAxis& x = window.axis[2];
  g.in_h = extent(y.in);
  g.in_w = extent(x.in);
  g.out_h = extent(y.out);
  g.out_w = extent(x.out);
  g.kernel_h = extent(y.kernel);
  g.kernel_w = extent(x.kernel);
  g.stride_h = extent(y.stride);
  g.stride_w = extent(x.stride);
  g.dilation_h = extent(y.dilation);
  g.dilation_w = extent(x.dilation);
  g.pad_top = extent(y.begin);
  g.pad_bottom = extent(y.end);
  g.pad_left = extent(x.begin);
  g.pad_right = extent(x.end);
  g.count_padding = node.int_or("count_include_pad", 0) != 0;
  return MDL_OK;
}

mdl_status check_pooling(const GroupView& group, std::span<const char* const> pools, bool floats,
                         mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), pools) ||
      (node.input(0)->dtype == MDL_FLOAT32) != floats) {
    return MDL_ERROR_UNSUPPORTED;
  }
  if (node.output_count() > 1) return fail(error, MDL_ERROR_UNSUPPORTED, "indices of the maxima");
  PoolGeometry geometry;
  return read_pooling(node, max_shape(*node.input(0)), &geometry, error);
}

PoolPixels pixels_of(const PoolGeometry& g) {
  // A row of pictures, or 32 pixels of a signal.
  return {g.batch * g.out_h * g.out_w, g.out_h > 1 ? g.out_w : 32};
}

}  // namespace medulla::cpu
