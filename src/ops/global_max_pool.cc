// SPDX-License-Identifier: Apache-2.0
#include "src/ops/global_pool.h"
#include "src/ops/greatest.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_dtype dtype = inputs[0].dtype;
  if (dtype != MDL_FLOAT32 && dtype != MDL_INT8 && dtype != MDL_UINT8 && dtype != MDL_INT16) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "input 0 is ", mdl_dtype_name(dtype),
                     ", should be float32, int8, uint8 or int16");
  }
  mdl_shape y;
  MDL_TRY(global_pool_output(node, inputs[0].shape, &y, error));
  return set_output(node, outputs, 0, dtype, y, error);
}

template <class T>
void pool(const ReferenceCall& call) {
  T* y = call.out<T>(0);
  for_each_channel<T>(call, [&](const T* x, int64_t pixels, int64_t channels) {
    Greatest<T> greatest;
    for (int64_t i = 0; i < pixels; ++i) greatest.add(x[i * channels]);
    *y++ = greatest.value();
  });
}

// Greatest of each channel's values in order.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  switch (call.input_types[0].dtype) {
    case MDL_INT8:
      pool<int8_t>(call);
      break;
    case MDL_UINT8:
      pool<uint8_t>(call);
      break;
    case MDL_INT16:
      pool<int16_t>(call);
      break;
    default:
      pool<float>(call);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_GlobalMaxPool = {
    .name = "GlobalMaxPool",
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
