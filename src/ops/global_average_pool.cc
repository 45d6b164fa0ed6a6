// SPDX-License-Identifier: Apache-2.0
#include "src/ops/global_pool.h"
#include "src/ops/row_sum.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  mdl_shape y;
  MDL_TRY(global_pool_output(node, inputs[0].shape, &y, error));
  return set_output(node, outputs, 0, MDL_FLOAT32, y, error);
}

// y = fl(sum / pixels), the sum over the pixels in order as RowSum takes it.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  float* y = call.out<float>(0);
  for_each_channel<float>(call, [&](const float* x, int64_t pixels, int64_t channels) {
    RowSum sum;
    for (int64_t i = 0; i < pixels; ++i) sum.add(x[i * channels]);
    *y++ = sum.total() / static_cast<float>(pixels);
  });
  return MDL_OK;
}

}  // namespace

extern const Op op_GlobalAveragePool = {
    .name = "GlobalAveragePool",
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla
