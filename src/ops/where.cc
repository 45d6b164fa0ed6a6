// SPDX-License-Identifier: Apache-2.0
#include "src/ops/broadcast.h"
#include "src/ops/move.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_BOOL, error));
  MDL_TRY(check_movable(node, inputs, 1, error));
  MDL_TRY(check_dtype(node, inputs, 2, inputs[1].dtype, error));
  mdl_shape shape;
  MDL_TRY(broadcast_shapes(node, inputs[1].shape, inputs[2].shape, &shape, error));
  MDL_TRY(broadcast_shapes(node, inputs[0].shape, shape, &shape, error));
  return set_output(node, outputs, 0, inputs[1].dtype, shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_same_quantization(node, *node.input(1), *node.output(0), error));
  return check_same_quantization(node, *node.input(2), *node.output(0), error);
}

template <class T>
void choose(const ReferenceCall& call) {
  const mdl_shape& shape = call.output_types[0].shape;
  const uint8_t* condition = call.in<uint8_t>(0);
  const T* a = call.in<T>(1);
  const T* b = call.in<T>(2);
  T* y = call.out<T>(0);
  for (Walk<3> w(shape, {broadcast_strides(call.input_types[0].shape, shape),
                         broadcast_strides(call.input_types[1].shape, shape),
                         broadcast_strides(call.input_types[2].shape, shape)});
       !w.done(); w.next()) {
    *y++ = condition[w.offset[0]] != 0 ? a[w.offset[1]] : b[w.offset[2]];
  }
}

// y = condition ? a : b, the bytes as they are.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  switch (element_bytes(call.output_types[0])) {
    case 1:
      choose<uint8_t>(call);
      break;
    case 2:
      choose<uint16_t>(call);
      break;
    case 4:
      choose<uint32_t>(call);
      break;
    default:
      choose<uint64_t>(call);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Where = {
    .name = "Where",
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .check = check,
    .reference = reference,
    .in_place = 6,
};

}  // namespace medulla
