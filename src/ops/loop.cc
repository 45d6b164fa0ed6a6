// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/ops/control.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"body", MDL_ATTRIBUTE_GRAPH, true},
    {"carried", MDL_ATTRIBUTE_INT, true},
    {"scanned", MDL_ATTRIBUTE_INT},
    {"limit", MDL_ATTRIBUTE_INT, true},        // the most iterations there can be
    {"conditional", MDL_ATTRIBUTE_INT},        // 1: the body says whether to go on
    {"reversed_inputs", MDL_ATTRIBUTE_INTS},   // of each scanned tensor: 1 from its end
    {"reversed_outputs", MDL_ATTRIBUTE_INTS},  // of each scan: 1 filled from its end
};

mdl_status check_head(const NodeView& node, std::span<const TensorType> inputs,
                      const LoopShape& loop, mdl_error* error) {
  constexpr mdl_dtype kTypes[] = {MDL_INT64, MDL_BOOL};
  for (size_t i = 0; i < 2; ++i) {
    const bool given = inputs[i].dtype != MDL_DTYPE_NONE;
    const mdl_tensor& inside = body_input(*loop.body, i);
    if ((given && inputs[i].dtype != kTypes[i]) || inside.dtype != kTypes[i]) {
      return fail_node(error, MDL_ERROR_DTYPE, node, "input ", i, " and the body's should be ",
                       mdl_dtype_name(kTypes[i]));
    }
    if ((given && inputs[i].elements() != 1) || inside.bytes != (i == 0 ? 8 : 1) ||
        varying(inside) != 0) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i,
                       " and the body's should be one element");
    }
  }
  if (!loop.conditional) return MDL_OK;
  const mdl_tensor& goes_on = body_output(*loop.body, 0);
  if (goes_on.dtype == MDL_BOOL && goes_on.bytes == 1) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node,
                   "the body's output 0 should be the condition, one bool");
}

// How many iterations there are at most: as the scanned tensors have slices.
mdl_status read_length(const NodeView& node, std::span<const TensorType> inputs,
                       const LoopShape& loop, int64_t* length, mdl_error* error) {
  *length = loop.limit;
  if (loop.scanned == 0) return MDL_OK;
  if (loop.conditional || node.input(0) != nullptr || node.input(1) != nullptr) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node,
                     "scans, so that it should have neither trip count nor condition");
  }
  for (size_t s = 0; s < loop.scanned; ++s) {
    const TensorType& x = inputs[2 + loop.carried + s];
    if (x.rank() == 0 || x.dim(0) > loop.limit || (s > 0 && x.dim(0) != *length)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "a scanned tensor is ", x.shape,
                       ", should have ", *length, " slices", s > 0 ? "" : " at most");
    }
    *length = x.dim(0);
  }
  return MDL_OK;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  LoopShape loop;
  MDL_TRY(read_loop(node, &loop, error));
  MDL_TRY(check_head(node, inputs, loop, error));
  int64_t length;
  MDL_TRY(read_length(node, inputs, loop, &length, error));
  for (size_t i = 2; i < inputs.size(); ++i) {
    TensorType given = inputs[i];
    if (i >= 2 + loop.carried && i < 2 + loop.carried + loop.scanned) {
      given.shape.rank -= 1;
      std::copy_n(inputs[i].shape.dims + 1, given.shape.rank, given.shape.dims);
    }
    MDL_TRY(check_taken(node, "an input", given, body_input(*loop.body, i), error));
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    const mdl_tensor& made = body_output(*loop.body, loop.body_result() + o);
    mdl_shape shape = {made.rank, {}};
    std::copy_n(made.dims, made.rank, shape.dims);
    if (o < loop.carried) {
      const mdl_tensor& start = body_input(*loop.body, 2 + o);
      MDL_TRY(check_taken(node, "what the body carries on", {made.dtype, shape}, start, error));
      // Without an iteration it is the initial value.
      std::copy_n(start.dims, start.rank, shape.dims);
    } else {
      if (made.rank == MDL_MAX_RANK) {
        return fail_node(error, MDL_ERROR_SHAPE, node, "a scan of '", made.name,
                         "' would have rank ", made.rank + 1, ", should be at most ", MDL_MAX_RANK);
      }
      shape = {made.rank + 1, {length}};
      std::copy_n(made.dims, made.rank, shape.dims + 1);
    }
    MDL_TRY(set_output(node, outputs, o, made.dtype, shape, error));
  }
  return MDL_OK;
}

mdl_status check(const NodeView& node, mdl_error* error) {
  LoopShape loop;
  MDL_TRY(read_loop(node, &loop, error));
  for (const auto& [name, count] :
       {std::pair{"reversed_inputs", loop.scanned}, std::pair{"reversed_outputs", loop.scans}}) {
    const std::span flags = node.ints(name);
    const bool both =
        std::all_of(flags.begin(), flags.end(), [](int64_t f) { return f >> 1 == 0; });
    if (flags.empty() || (flags.size() == count && both && loop.scanned > 0)) continue;
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, " has ", flags.size(),
                     " values, should have ", count, ", each 0 or 1, in a scan");
  }
  for (size_t i = 2; i < node.input_count(); ++i) {
    if (node.input(i) == nullptr) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "input ", i, " is left out");
    }
    MDL_TRY(check_same_meaning(node, node.input(i), body_input(*loop.body, i), error));
  }
  for (size_t o = 0; o < node.output_count(); ++o) {
    const mdl_tensor& made = body_output(*loop.body, loop.body_result() + o);
    MDL_TRY(check_same_meaning(node, node.output(o), made, error));
    if (o < loop.carried) MDL_TRY(check_same_meaning(node, node.input(2 + o), made, error));
  }
  return MDL_OK;
}

uint32_t found(const NodeView& node, size_t o) {
  LoopShape loop;
  if (read_loop(node, &loop, nullptr) != MDL_OK) return 0;
  const uint32_t made = varying(body_output(*loop.body, loop.body_result() + o));
  if (o < loop.carried) return made | varying(body_input(*loop.body, 2 + o));
  const bool counted = loop.scanned == 0 && !loop.conditional && node.input(0) == nullptr;
  return made << 1 | (counted || loop.scanned > 0 ? 0u : 1u);
}

}  // namespace

extern const Op op_Loop = {
    .name = "Loop",
    .min_inputs = 0,
    .max_inputs = 256,
    .max_outputs = 256,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .found = found,
    .control = true,
};

}  // namespace medulla
