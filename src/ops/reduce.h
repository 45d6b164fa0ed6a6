// SPDX-License-Identifier: Apache-2.0
// Operators that fold the values along some axes, all when none are named, into one.
#ifndef MEDULLA_SRC_OPS_REDUCE_H_
#define MEDULLA_SRC_OPS_REDUCE_H_

#include "src/ops/number.h"
#include "src/ops/rules.h"
#include "src/ops/walk.h"

namespace medulla {

inline constexpr AttributeRule kReduceAttributes[] = {{"axes", MDL_ATTRIBUTE_INTS},
                                                      {"keepdims", MDL_ATTRIBUTE_INT}};

inline mdl_status read_reduced_axes(const NodeView& node, uint32_t rank, uint32_t* mask,
                                    mdl_error* error) {
  MDL_TRY(resolve_axes(node, node.ints("axes"), rank, mask, error));
  if (node.ints("axes").empty()) *mask = (1u << rank) - 1;
  return MDL_OK;
}

template <DtypeSet kTypes>
mdl_status infer_reduce(const NodeView& node, std::span<const TensorType> inputs,
                        std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kTypes, error));
  const mdl_shape& x = inputs[0].shape;
  uint32_t mask;
  MDL_TRY(read_reduced_axes(node, x.rank, &mask, error));
  const bool keep = node.int_or("keepdims", 1) != 0;
  mdl_shape shape = {};
  for (uint32_t d = 0; d < x.rank; ++d) {
    const bool reduced = (mask >> d & 1) != 0;
    if (!reduced || keep) shape.dims[shape.rank++] = reduced ? 1 : x.dims[d];
  }
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// For each output a Fold<Number> takes its values in order with add(value); result(count) is the
// output, kOfNothing that of no value.
template <template <class> class Fold>
mdl_status reference_reduce(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  const mdl_dtype dtype = call.input_types[0].dtype;
  uint32_t mask;
  MDL_TRY(read_reduced_axes(call.node, shape.rank, &mask, error));
  mdl_shape kept = shape;
  mdl_shape folded = shape;
  for (uint32_t d = 0; d < shape.rank; ++d) ((mask >> d & 1) != 0 ? kept : folded).dims[d] = 1;
  const Strides strides = dense_strides(shape);
  const int64_t count = extent(folded, 0, folded.rank);
  with_elements(dtype, call.inputs[0], [&](auto load) {
    using Number = decltype(load(0));
    int64_t y = 0;
    for (Walk<1> outer(kept, {strides}); !outer.done(); outer.next(), ++y) {
      if (count == 0) {
        // The least bool is false, which is no negative number.
        constexpr double kOfNothing = Fold<Number>::kOfNothing;
        store_number(dtype, call.outputs[0], y,
                     dtype == MDL_BOOL && kOfNothing < 0 ? 0 : kOfNothing);
        continue;
      }
      Fold<Number> fold;
      for (Walk<1> inner(folded, {strides}); !inner.done(); inner.next()) {
        fold.add(load(outer.offset[0] + inner.offset[0]));
      }
      store_as(dtype, call.outputs[0], y, fold.result(count));
    }
  });
  return MDL_OK;
}

template <template <class> class Fold, DtypeSet kTypes = kNumbers>
constexpr Op reduce_op(const char* name) {
  return {.name = name,
          .attributes = kReduceAttributes,
          .infer = infer_reduce<kTypes>,
          .reference = reference_reduce<Fold>};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_REDUCE_H_
