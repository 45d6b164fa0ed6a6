// SPDX-License-Identifier: Apache-2.0
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr int64_t kEntries = 256;

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_INT8, error));
  const mdl_shape& table = inputs[1].shape;
  if (table.rank != 1 || table.dims[0] != kEntries) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "the table is ", table, ", should be [",
                     kEntries, ']');
  }
  return set_output(node, outputs, 0, MDL_INT8, inputs[0].shape, error);
}

// y = table[x + 128].
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const int8_t* x = call.in<int8_t>(0);
  const int8_t* table = call.in<int8_t>(1);
  int8_t* y = call.out<int8_t>(0);
  const int64_t count = call.input_types[0].elements();
  for (int64_t i = 0; i < count; ++i) y[i] = table[x[i] + 128];
  return MDL_OK;
}

}  // namespace

extern const Op op_QLookup = {
    .name = "QLookup",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
