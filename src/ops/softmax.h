// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_SOFTMAX_H_
#define MEDULLA_SRC_OPS_SOFTMAX_H_

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/greatest.h"
#include "src/ops/lines.h"
#include "src/ops/row_sum.h"

namespace medulla {

inline constexpr AttributeRule kSoftmaxAttributes[] = {{"axis", MDL_ATTRIBUTE_INT}};

inline mdl_status infer_softmax(const NodeView& node, std::span<const TensorType> inputs,
                                std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", -1), inputs[0].rank(), &axis, error));
  return set_output(node, outputs, 0, MDL_FLOAT32, inputs[0].shape, error);
}

// Along the axis, m the Greatest value: calls
// finish(x, m, sum of exp_f32(fl(x - m)) as RowSum takes it) for each y.
template <class Finish>
mdl_status for_each_softmax(const ReferenceCall& call, mdl_error* error, Finish finish) {
  const mdl_shape& shape = call.input_types[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), shape.rank, &axis, error));
  const Lines lines(shape, axis);
  const auto [length, inner, count] = lines;
  if (length == 0) return MDL_OK;
  for (int64_t line = 0; line < count; ++line) {
    const float* x = call.in<float>(0) + lines.first(line);
    float* y = call.out<float>(0) + lines.first(line);
    Greatest<float> greatest;
    for (int64_t i = 0; i < length; ++i) greatest.add(x[i * inner]);
    const float m = greatest.value();
    RowSum sum;
    for (int64_t i = 0; i < length; ++i) sum.add(exp_f32(x[i * inner] - m));
    const float total = sum.total();
    for (int64_t i = 0; i < length; ++i) y[i * inner] = finish(x[i * inner], m, total);
  }
  return MDL_OK;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_SOFTMAX_H_
