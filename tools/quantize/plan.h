// SPDX-License-Identifier: Apache-2.0
// Which nodes of a float32 graph become integer nodes, and which tensors are rounded to int8.
#ifndef MEDULLA_TOOLS_QUANTIZE_PLAN_H_
#define MEDULLA_TOOLS_QUANTIZE_PLAN_H_

#include <set>
#include <string>
#include <vector>

#include "tools/ir/graph.h"

namespace medulla::tools {

enum class Role {
  kept,      // float32
  layer,     // constant weights as input 1
  product,   // of two activations
  join,      // of elements of several tensors
  window,    // pools, Resize, LayerNormalization, Concat: one output scale of their own
  fused,     // an activation that the node before it takes into its end
  function,  // of the elements of one tensor: a table
  passing,   // the same, on the way to another one
  mover,     // its output has its input's scale
};

struct Plan {
  std::vector<Role> roles;    // by node
  std::vector<bool> rounded;  // by tensor: a QuantizeLinear follows what makes it
};

// Nodes named in `exempt` stay in float32. A layer always becomes an integer node; another does
// when an input of it comes from one, or would, and an integer node reads its result.
Plan make_plan(const Graph& graph, const std::set<std::string>& exempt);

// Whether a node can be a layer: what the figures of mixed precision are about.
bool is_layer(const Graph& graph, const Node& node);

// The tensor that a float32 tensor has its integers from: back through what moves them.
int32_t source_of(const Graph& graph, const Plan& plan, int32_t tensor);

// The node that makes a tensor, by tensor; -1: none.
std::vector<int32_t> producers_of(const Graph& graph);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_PLAN_H_
