// SPDX-License-Identifier: Apache-2.0
#include "src/ops/number.h"
#include "src/ops/rules.h"
#include "src/ops/walk.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  const TensorType& x = inputs[0];
  if (x.rank() == 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is a scalar, should have dimensions");
  }
  return set_output(node, outputs, 0, MDL_INT64, {2, {x.rank(), x.elements()}}, error);
}

uint32_t found(const NodeView&, size_t) { return 1u << 1; }

// y[:, n] is the index of the n-th element that is not zero, in the order of the elements.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const auto is_zero = [&](int64_t i) {
    bool zero = false;
    load_number(x.dtype, call.inputs[0], i, [&](auto v) { zero = v == 0; });
    return zero;
  };
  int64_t count = 0;
  for (int64_t i = 0; i < x.elements(); ++i) count += !is_zero(i);
  const Strides strides = dense_strides(x.shape);
  int64_t n = 0;
  for (int64_t i = 0; i < x.elements(); ++i) {
    if (is_zero(i)) continue;
    for (uint32_t d = 0; d < x.rank(); ++d) {
      call.out<int64_t>(0)[d * count + n] = i / strides.of[d] % x.dim(d);
    }
    ++n;
  }
  call.found[0].dims[1] = count;
  return MDL_OK;
}

}  // namespace

extern const Op op_NonZero = {
    .name = "NonZero",
    .infer = infer,
    .reference = reference,
    .found = found,
};

}  // namespace medulla
