// SPDX-License-Identifier: Apache-2.0
// Elementwise functions of one float32 input.
#ifndef MEDULLA_SRC_OPS_UNARY_H_
#define MEDULLA_SRC_OPS_UNARY_H_

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/rules.h"

namespace medulla {

// Checks the float attributes too.
inline mdl_status infer_unary(const NodeView& node, std::span<const TensorType> inputs,
                              std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  for (uint32_t a = 0; a < node.node().attribute_count; ++a) {
    const mdl_attribute& attribute = node.node().attributes[a];
    if (attribute.type == MDL_ATTRIBUTE_FLOAT) MDL_TRY(check_float(node, attribute.name, error));
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, inputs[0].shape, error);
}

template <class Function>
mdl_status map_unary(const ReferenceCall& call, Function function) {
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  const int64_t count = call.output_types[0].elements();
  for (int64_t i = 0; i < count; ++i) y[i] = function(x[i]);
  return MDL_OK;
}

template <float (*kFunction)(float)>
mdl_status reference_unary(const ReferenceCall& call, mdl_error*) {
  return map_unary(call, kFunction);
}

constexpr Op unary_op(const char* name, decltype(Op::reference) reference,
                      std::span<const AttributeRule> attributes = {}) {
  return {.name = name,
          .attributes = attributes,
          .infer = infer_unary,
          .reference = reference,
          .in_place = 1};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_UNARY_H_
