// SPDX-License-Identifier: Apache-2.0
#include "src/ops/broadcast.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"interleaved", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  if (x.rank < 1 || x.dims[x.rank - 1] % 2 != 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x,
                     ", should have an even last dimension");
  }
  for (size_t i = 0; i < 3; ++i) {
    MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    MDL_TRY(check_broadcasts_to(node, inputs, i, x, error));
    const mdl_shape& shape = inputs[i].shape;
    if (shape.rank > 0 && shape.dims[shape.rank - 1] == x.dims[x.rank - 1]) continue;
    return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", shape,
                     ", should have the last dimension of ", x);
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, x, error);
}

// Along the last dimension, in pairs (a, b) of x[i] and x[i + n / 2], or of x[2 * i] and
// x[2 * i + 1] when interleaved, each with cos and sin at its own place:
//   y_a = fl(fl(a * cos) - fl(b * sin)), y_b = fl(fl(b * cos) + fl(a * sin))
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const mdl_shape& shape = call.input_types[0].shape;
  const int64_t width = shape.dims[shape.rank - 1];
  const bool interleaved = call.node.int_or("interleaved", 0) != 0;
  mdl_shape rows = shape;
  --rows.rank;
  for (Walk<3> w(rows, {dense_strides(shape), broadcast_strides(call.input_types[1].shape, shape),
                        broadcast_strides(call.input_types[2].shape, shape)});
       !w.done(); w.next()) {
    const float* x = call.in<float>(0) + w.offset[0];
    const float* cos = call.in<float>(1) + w.offset[1];
    const float* sin = call.in<float>(2) + w.offset[2];
    float* y = call.out<float>(0) + w.offset[0];
    const auto turn = [=](int64_t a, int64_t b) {
      const float x_a = x[a], x_b = x[b];
      y[a] = x_a * cos[a] - x_b * sin[a];
      y[b] = x_b * cos[b] + x_a * sin[b];
    };
    if (interleaved) {
      for (int64_t i = 0; i < width; i += 2) turn(i, i + 1);
    } else {
      for (int64_t i = 0; i < width / 2; ++i) turn(i, i + width / 2);
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, cos, sin, whose rows broadcast to those of x: each pair of values is turned by its
// angle.
extern const Op op_RotaryEmbedding = {
    .name = "RotaryEmbedding",
    .min_inputs = 3,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
