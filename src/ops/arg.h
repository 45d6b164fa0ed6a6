// SPDX-License-Identifier: Apache-2.0
// ArgMax and ArgMin.
#ifndef MEDULLA_SRC_OPS_ARG_H_
#define MEDULLA_SRC_OPS_ARG_H_

#include "src/ops/lines.h"
#include "src/ops/number.h"

namespace medulla {

inline constexpr AttributeRule kArgAttributes[] = {{"axis", MDL_ATTRIBUTE_INT},
                                                   {"keepdims", MDL_ATTRIBUTE_INT},
                                                   {"select_last_index", MDL_ATTRIBUTE_INT}};

inline mdl_status infer_arg(const NodeView& node, std::span<const TensorType> inputs,
                            std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kNumbers, error));
  const mdl_shape& x = inputs[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), x.rank, &axis, error));
  if (x.dims[axis] == 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x,
                     ", should have an element along axis ", axis);
  }
  const bool keep = node.int_or("keepdims", 1) != 0;
  mdl_shape shape = {};
  for (uint32_t d = 0; d < x.rank; ++d) {
    if (d != axis || keep) shape.dims[shape.rank++] = d == axis ? 1 : x.dims[d];
  }
  return set_output(node, outputs, 0, MDL_INT64, shape, error);
}

// The index along the axis of the value that wins over all others; of several the first, or the
// last. NaN wins over what is none.
template <class Wins>
mdl_status reference_arg(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  const bool last = call.node.int_or("select_last_index", 0) != 0;
  const Lines lines(x.shape, axis);
  with_elements(x.dtype, call.inputs[0], [&](auto load) {
    using Number = decltype(load(0));
    const auto wins = [](Number a, Number b) { return Wins()(a, b) || (a != a && b == b); };
    for (int64_t line = 0; line < lines.count; ++line) {
      const int64_t first = lines.first(line);
      const auto at = [&](int64_t i) { return load(first + i * lines.inner); };
      int64_t best = 0;
      for (int64_t i = 1; i < lines.length; ++i) {
        if (last ? !wins(at(best), at(i)) : wins(at(i), at(best))) best = i;
      }
      call.out<int64_t>(0)[line] = best;
    }
  });
  return MDL_OK;
}

template <class Wins>
constexpr Op arg_op(const char* name) {
  return {.name = name,
          .attributes = kArgAttributes,
          .infer = infer_arg,
          .reference = reference_arg<Wins>};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_ARG_H_
