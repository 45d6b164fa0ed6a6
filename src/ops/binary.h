// SPDX-License-Identifier: Apache-2.0
// Elementwise functions of two inputs of one dtype, broadcast as numpy does.
#ifndef MEDULLA_SRC_OPS_BINARY_H_
#define MEDULLA_SRC_OPS_BINARY_H_

#include "src/ops/broadcast.h"
#include "src/ops/unary.h"

namespace medulla {

// kOutput: the output's dtype; NONE: the inputs'.
template <DtypeSet kTypes, mdl_dtype kOutput = MDL_DTYPE_NONE>
mdl_status infer_binary(const NodeView& node, std::span<const TensorType> inputs,
                        std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kTypes, error));
  MDL_TRY(check_dtype(node, inputs, 1, inputs[0].dtype, error));
  mdl_shape shape;
  MDL_TRY(broadcast_shapes(node, inputs[0].shape, inputs[1].shape, &shape, error));
  const mdl_dtype dtype = kOutput != MDL_DTYPE_NONE ? kOutput : inputs[0].dtype;
  return set_output(node, outputs, 0, dtype, shape, error);
}

// Calls use(i, a, b) for each output i with the indices of its operands.
template <class Use>
void for_each_pair(const ReferenceCall& call, Use use) {
  const mdl_shape& shape = call.output_types[0].shape;
  int64_t i = 0;
  for (Walk<2> w(shape, {broadcast_strides(call.input_types[0].shape, shape),
                         broadcast_strides(call.input_types[1].shape, shape)});
       !w.done(); w.next()) {
    use(i++, w.offset[0], w.offset[1]);
  }
}

// As reference_unary: Function has kTypes and an operator() for what those are computed in.
template <class Function>
mdl_status reference_binary(const ReferenceCall& call, mdl_error*) {
  const mdl_dtype from = call.input_types[0].dtype;
  const mdl_dtype to = call.output_types[0].dtype;
  const Function function = function_of<Function>(call.node);
  if constexpr (requires(float v) {
                  { function(v, v) } -> std::same_as<float>;
                }) {
    if (from == MDL_FLOAT32) {
      const float* a = call.in<float>(0);
      const float* b = call.in<float>(1);
      float* y = call.out<float>(0);
      for_each_pair(call, [&](int64_t i, int64_t j, int64_t k) { y[i] = function(a[j], b[k]); });
      return MDL_OK;
    }
  }
  with_number(from, [&]<class Number>(Number) {
    if constexpr (computes<Number>(Function::kTypes)) {
      for_each_pair(call, [&](int64_t i, int64_t j, int64_t k) {
        store_as(to, call.outputs[0], i,
                 function(load_as<Number>(from, call.inputs[0], j),
                          load_as<Number>(from, call.inputs[1], k)));
      });
    }
  });
  return MDL_OK;
}

template <class Function>
constexpr Op binary_op(const char* name, std::span<const AttributeRule> attributes = {}) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = attributes,
          .infer = infer_binary<Function::kTypes>,
          .reference = reference_binary<Function>,
          .in_place = 3};
}

// A comparison: its Function gives int64_t, 0 or 1.
template <class Function>
constexpr Op comparison_op(const char* name) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer_binary<Function::kTypes, MDL_BOOL>,
          .reference = reference_binary<Function>};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_BINARY_H_
