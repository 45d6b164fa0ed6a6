// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <type_traits>

#include "src/ops/number.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT, true},
                                         {"exclusive", MDL_ATTRIBUTE_INT},
                                         {"reverse", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kNumbers, error));
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), inputs[0].rank(), &axis, error));
  return set_output(node, outputs, 0, inputs[0].dtype, inputs[0].shape, error);
}

// Additions from +0 along the axis, with `reverse` from its end; y is the sum behind x, with
// `exclusive` the one before it. Integers wrap.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", 0), x.rank(), &axis, error));
  const bool exclusive = call.node.int_or("exclusive", 0) != 0;
  const bool reverse = call.node.int_or("reverse", 0) != 0;
  const int64_t outer = extent(x.shape, 0, axis);
  const int64_t length = x.dim(axis);
  const int64_t inner = extent(x.shape, axis + 1, x.rank());
  if (x.elements() == 0) return MDL_OK;
  with_elements(x.dtype, call.inputs[0], [&](auto load) {
    using Number = decltype(load(0));
    using Total = std::conditional_t<std::integral<Number>, uint64_t, Number>;
    for (int64_t row = 0; row < outer * inner; ++row) {
      const int64_t first = row / inner * length * inner + row % inner;
      Total sum = 0;
      for (int64_t i = 0; i < length; ++i) {
        const int64_t at = first + (reverse ? length - 1 - i : i) * inner;
        const Total before = sum;
        sum += static_cast<Total>(load(at));
        store_as(x.dtype, call.outputs[0], at, static_cast<Number>(exclusive ? before : sum));
      }
    }
  });
  return MDL_OK;
}

}  // namespace

extern const Op op_CumSum = {
    .name = "CumSum",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
