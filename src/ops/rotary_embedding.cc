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
  const int64_t apart = interleaved ? 1 : width / 2;
  const Strides dense = dense_strides(shape);
  const Strides cos_at = broadcast_strides(call.input_types[1].shape, shape);
  const Strides sin_at = broadcast_strides(call.input_types[2].shape, shape);
  mdl_shape rows = shape;
  const uint32_t last = --rows.rank;
  for (Walk<3> w(rows, {dense, cos_at, sin_at}); !w.done(); w.next()) {
    const float* x = call.in<float>(0) + w.offset[0];
    const float* cos = call.in<float>(1) + w.offset[1];
    const float* sin = call.in<float>(2) + w.offset[2];
    float* y = call.out<float>(0) + w.offset[0];
    for (int64_t i = 0; i < width / 2; ++i) {
      const int64_t a = interleaved ? 2 * i : i;
      const int64_t b = a + apart;
      const float x_a = x[a], x_b = x[b];
      y[a] = x_a * cos[a * cos_at.of[last]] - x_b * sin[a * sin_at.of[last]];
      y[b] = x_b * cos[b * cos_at.of[last]] + x_a * sin[b * sin_at.of[last]];
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, cos, sin, which broadcast to x: each pair of values is turned by its angle.
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
