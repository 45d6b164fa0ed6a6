// SPDX-License-Identifier: Apache-2.0
// The group that products and convolutions run as one step:
//
//   [Pad] -> main -> [Add residual] -> [activation]
//
// All but `main` are optional. What is fused gives the bytes of the single nodes.
#ifndef MEDULLA_BACKENDS_CPU_CHAIN_H_
#define MEDULLA_BACKENDS_CPU_CHAIN_H_

#include <span>

#include "backends/cpu/lowering.h"

namespace medulla::cpu {

struct ChainRule {
  std::span<const char* const> mains;  // operators that may be `main`
  bool pad = false;                    // whether a Pad may stand before it
  bool residual = true;                // whether an Add may follow
};

// Proposes the longest chain that starts with `node`, as Lowering.fuse.
size_t fuse_chain(const ChainRule& rule, const mdl_graph& graph, int32_t node, const uint8_t* taken,
                  int32_t* members, size_t capacity);

// A Lowering.fuse.
template <const ChainRule& kRule>
size_t fuse_by(const mdl_graph& graph, int32_t node, const uint8_t* taken, int32_t* members,
               size_t capacity) {
  return fuse_chain(kRule, graph, node, taken, members, capacity);
}

struct Chain {
  const mdl_node* pad = nullptr;
  const mdl_node* main = nullptr;
  const mdl_tensor* residual = nullptr;  // null: no Add
  const mdl_node* activation = nullptr;
};

// Reads a group as a chain; false when it is not one by this rule.
bool read_chain(const ChainRule& rule, const mdl_graph& graph, const GroupView& group,
                Chain* chain);

// The one node that reads `tensor`, when nothing else needs it and nobody has taken it; -1
// otherwise.
int32_t sole_consumer(const mdl_graph& graph, int32_t tensor, const uint8_t* taken);

bool is_op(const mdl_node& node, const char* op);
bool is_one_of(const mdl_node& node, std::span<const char* const> ops);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_CHAIN_H_
