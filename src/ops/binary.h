// SPDX-License-Identifier: Apache-2.0
// Elementwise functions of two inputs, float32, int32 or int64, broadcast as numpy does.
#ifndef MEDULLA_SRC_OPS_BINARY_H_
#define MEDULLA_SRC_OPS_BINARY_H_

#include "src/ops/broadcast.h"
#include "src/ops/rules.h"

namespace medulla {

inline mdl_status infer_binary(const NodeView& node, std::span<const TensorType> inputs,
                               std::span<TensorType> outputs, mdl_error* error) {
  const mdl_dtype dtype = inputs[0].dtype;
  if (dtype != MDL_FLOAT32 && dtype != MDL_INT32 && dtype != MDL_INT64) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "input 0 is ", mdl_dtype_name(dtype),
                     ", should be float32, int32 or int64");
  }
  MDL_TRY(check_dtype(node, inputs, 1, dtype, error));
  mdl_shape shape;
  MDL_TRY(broadcast_shapes(node, inputs[0].shape, inputs[1].shape, &shape, error));
  return set_output(node, outputs, 0, dtype, shape, error);
}

template <class T, class Function>
void map_binary(const ReferenceCall& call, Function function) {
  const T* a = call.in<T>(0);
  const T* b = call.in<T>(1);
  T* y = call.out<T>(0);
  const mdl_shape& shape = call.output_types[0].shape;
  for (Walk<2> w(shape, {broadcast_strides(call.input_types[0].shape, shape),
                         broadcast_strides(call.input_types[1].shape, shape)});
       !w.done(); w.next()) {
    *y++ = function(a[w.offset[0]], b[w.offset[1]]);
  }
}

// Function has an operator() for each of the three types.
template <class Function>
mdl_status reference_binary(const ReferenceCall& call, mdl_error*) {
  switch (call.output_types[0].dtype) {
    case MDL_INT32:
      map_binary<int32_t>(call, Function());
      break;
    case MDL_INT64:
      map_binary<int64_t>(call, Function());
      break;
    default:
      map_binary<float>(call, Function());
  }
  return MDL_OK;
}

template <class Function>
constexpr Op binary_op(const char* name) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer_binary,
          .reference = reference_binary<Function>,
          .in_place = 3};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_BINARY_H_
