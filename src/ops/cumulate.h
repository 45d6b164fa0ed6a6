// SPDX-License-Identifier: Apache-2.0
// Operators whose outputs are what has come together along an axis so far.
#ifndef MEDULLA_SRC_OPS_CUMULATE_H_
#define MEDULLA_SRC_OPS_CUMULATE_H_

#include <concepts>
#include <type_traits>

#include "src/ops/lines.h"
#include "src/ops/number.h"

namespace medulla {

inline constexpr AttributeRule kCumulateAttributes[] = {{"axis", MDL_ATTRIBUTE_INT, true},
                                                        {"exclusive", MDL_ATTRIBUTE_INT},
                                                        {"reverse", MDL_ATTRIBUTE_INT}};

inline mdl_status infer_cumulate(const NodeView& node, std::span<const TensorType> inputs,
                                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kNumbers, error));
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), inputs[0].rank(), &axis, error));
  return set_output(node, outputs, 0, inputs[0].dtype, inputs[0].shape, error);
}

// A chain of Join from kStart along the axis, with `reverse` from its end; y is the chain behind x,
// with `exclusive` the one before it. Integers wrap.
template <int kStart, class Join>
mdl_status reference_cumulate(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  const bool exclusive = call.node.int_or("exclusive", 0) != 0;
  const bool reverse = call.node.int_or("reverse", 0) != 0;
  const Lines lines(x.shape, axis);
  if (x.elements() == 0) return MDL_OK;
  with_elements(x.dtype, call.inputs[0], [&](auto load) {
    using Number = decltype(load(0));
    using Total = std::conditional_t<std::integral<Number>, uint64_t, Number>;
    for (int64_t line = 0; line < lines.count; ++line) {
      const int64_t first = lines.first(line);
      Total total = kStart;
      for (int64_t i = 0; i < lines.length; ++i) {
        const int64_t at = first + (reverse ? lines.length - 1 - i : i) * lines.inner;
        const Total before = total;
        total = Join()(total, static_cast<Total>(load(at)));
        store_as(x.dtype, call.outputs[0], at, static_cast<Number>(exclusive ? before : total));
      }
    }
  });
  return MDL_OK;
}

template <int kStart, class Join>
constexpr Op cumulate_op(const char* name) {
  return {.name = name,
          .attributes = kCumulateAttributes,
          .infer = infer_cumulate,
          .reference = reference_cumulate<kStart, Join>,
          .in_place = 1};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_CUMULATE_H_
