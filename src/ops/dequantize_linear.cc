// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/number.h"
#include "src/ops/per_axis.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_dtype dtype = inputs[0].dtype;
  if (dtype != MDL_INT8 && dtype != MDL_UINT8 && dtype != MDL_INT16 && dtype != MDL_UINT16 &&
      dtype != MDL_INT32) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "input 0 is ", mdl_dtype_name(dtype),
                     ", should be int8, uint8, int16, uint16 or int32");
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, inputs[0].shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  using Limits = std::numeric_limits<int32_t>;
  return check_per_axis(node, *node.input(0), Limits::min(), Limits::max(), error);
}

// y = fl(float(x - z) * s) with the input's scale and zero point; the difference is exact.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const mdl_quantization& q = call.node.input(0)->quantization;
  const TensorType& x = call.input_types[0];
  float* y = call.out<float>(0);
  for_each_per_axis(q, x.shape, [&](int64_t i, size_t c) {
    load_number(x.dtype, call.inputs[0], i, [&](auto value) {
      y[i] = static_cast<float>(static_cast<int64_t>(value) - q.zero_points[c]) * q.scales[c];
    });
  });
  return MDL_OK;
}

}  // namespace

extern const Op op_DequantizeLinear = {
    .name = "DequantizeLinear",
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
