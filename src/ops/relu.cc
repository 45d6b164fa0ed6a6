// SPDX-License-Identifier: Apache-2.0
#include "src/ops/op.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  if (inputs[0].dtype != MDL_FLOAT32) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "input is ", mdl_dtype_name(inputs[0].dtype),
                     ", should be float32");
  }
  outputs[0] = inputs[0];
  return MDL_OK;
}

// y = x > 0 ? x : 0, NaN kept.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  const int64_t count = call.output_types[0].elements();
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] < 0.0f ? 0.0f : x[i];
  return MDL_OK;
}

}  // namespace

extern const Op op_Relu = {
    .name = "Relu",
    .infer = infer,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
