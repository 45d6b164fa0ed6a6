// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/ops/control.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"then_branch", MDL_ATTRIBUTE_GRAPH, true},
    {"else_branch", MDL_ATTRIBUTE_GRAPH, true},
};
constexpr const char* kBranches[] = {"then_branch", "else_branch"};

// Inputs: the condition, then what the branches read; both take all. An output has the greater of
// the branches' extents as its bound.
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_BOOL, error));
  if (inputs[0].elements() != 1) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "the condition is ", inputs[0].shape,
                     ", should be one element");
  }
  mdl_shape bounds[2];
  for (const char* name : kBranches) {
    const mdl_graph* body = node.attribute(name)->graph;
    if (body == nullptr || body->input_count != inputs.size() - 1 ||
        body->output_count != outputs.size()) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, name,
                       " should have an input for each of the node's but the condition, and as "
                       "many outputs as the node");
    }
    for (size_t i = 1; i < inputs.size(); ++i) {
      MDL_TRY(check_taken(node, "an input", inputs[i], body_input(*body, i - 1), error));
    }
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    for (size_t b = 0; b < 2; ++b) {
      const mdl_tensor& made = body_output(*node.attribute(kBranches[b])->graph, o);
      bounds[b] = {made.rank, {}};
      std::copy_n(made.dims, made.rank, bounds[b].dims);
      outputs[o].dtype = b == 0 ? made.dtype : outputs[o].dtype;
      if (made.dtype != outputs[o].dtype || made.rank != bounds[0].rank) {
        return fail_node(error, MDL_ERROR_BAD_MODEL, node, "its branches make ",
                         mdl_dtype_name(outputs[o].dtype), ' ', bounds[0], " and ",
                         mdl_dtype_name(made.dtype), ' ', bounds[b], " of output ", o,
                         ", should be of one dtype and rank");
      }
    }
    for (uint32_t d = 0; d < bounds[0].rank; ++d) {
      bounds[0].dims[d] = std::max(bounds[0].dims[d], bounds[1].dims[d]);
    }
    MDL_TRY(set_output(node, outputs, o, outputs[o].dtype, bounds[0], error));
  }
  return MDL_OK;
}

mdl_status check(const NodeView& node, mdl_error* error) {
  for (const char* name : kBranches) {
    const mdl_graph& body = *node.attribute(name)->graph;
    for (size_t i = 1; i < node.input_count(); ++i) {
      if (node.input(i) == nullptr) {
        return fail_node(error, MDL_ERROR_BAD_MODEL, node, "input ", i, " is left out");
      }
      MDL_TRY(check_same_meaning(node, node.input(i), body_input(body, i - 1), error));
    }
    for (size_t o = 0; o < node.output_count(); ++o) {
      if (node.output(o) == nullptr) {
        return fail_node(error, MDL_ERROR_BAD_MODEL, node, "output ", o, " is left out");
      }
      MDL_TRY(check_same_meaning(node, node.output(o), body_output(body, o), error));
    }
  }
  return MDL_OK;
}

uint32_t found(const NodeView& node, size_t o) {
  const mdl_tensor& a = body_output(*node.attribute(kBranches[0])->graph, o);
  const mdl_tensor& b = body_output(*node.attribute(kBranches[1])->graph, o);
  uint32_t mask = varying(a) | varying(b);
  for (uint32_t d = 0; d < a.rank; ++d) mask |= (a.dims[d] != b.dims[d] ? 1u : 0) << d;
  return mask;
}

}  // namespace

extern const Op op_If = {
    .name = "If",
    .max_inputs = 256,
    .max_outputs = 256,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .found = found,
    .control = true,
};

}  // namespace medulla
