// SPDX-License-Identifier: Apache-2.0
// Pools over all pixels: [N, spatial..., C] to [N, 1..., C].
#ifndef MEDULLA_SRC_OPS_GLOBAL_POOL_H_
#define MEDULLA_SRC_OPS_GLOBAL_POOL_H_

#include "src/ops/rules.h"

namespace medulla {

inline mdl_status global_pool_output(const NodeView& node, const mdl_shape& x, mdl_shape* y,
                                     mdl_error* error) {
  *y = x;
  if (x.rank < 3) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x,
                     ", should be [N, spatial..., C]");
  }
  for (uint32_t d = 1; d + 1 < x.rank; ++d) {
    if (x.dims[d] < 1) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", should have pixels");
    }
    y->dims[d] = 1;
  }
  return MDL_OK;
}

// Calls pool(x, pixels, channels) for each output in order: value i of its channel is
// x[i * channels].
template <class T, class Pool>
void for_each_channel(const ReferenceCall& call, Pool pool) {
  const mdl_shape& shape = call.input_types[0].shape;
  const int64_t channels = shape.dims[shape.rank - 1];
  const int64_t pixels = extent(shape, 1, shape.rank - 1);
  for (int64_t n = 0; n < shape.dims[0]; ++n) {
    const T* image = call.in<T>(0) + n * pixels * channels;
    for (int64_t c = 0; c < channels; ++c) pool(image + c, pixels, channels);
  }
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_GLOBAL_POOL_H_
