// SPDX-License-Identifier: Apache-2.0
// Passes rewrite a model without changing what it computes (but for roundings that a pass states).
#ifndef MEDULLA_TOOLS_PASSES_PASS_H_
#define MEDULLA_TOOLS_PASSES_PASS_H_

#include <set>
#include <span>
#include <string>
#include <vector>

#include "tools/ir/graph.h"

namespace medulla::tools {

struct PassContext {
  bool nhwc = false;   // the graph's images are channels-last outside too
  std::string stream;  // the symbol of time; "": the graph is not fed in chunks
  std::vector<std::string> notes;
  // "node: reason" for each node that may not be written as it stands.
  std::vector<std::string> refusals;
};

struct Pass {
  const char* name;
  Graph (*run)(const Graph& graph, PassContext& context);
};

// All passes, in the order in which they run; a name may stand twice.
std::span<const Pass> all_passes();
// Runs those whose names are not in `left_out`; "all" leaves every one out, but
// that `stream` runs when the context asks for it. Throws
// std::invalid_argument for a name that is none.
void run_passes(Model& model, const std::set<std::string>& left_out, PassContext& context);

// One file each.
Graph eliminate_dead(const Graph& graph, PassContext& context);
Graph fold_constants(const Graph& graph, PassContext& context);
Graph fuse_activations(const Graph& graph, PassContext& context);
Graph fuse_attention(const Graph& graph, PassContext& context);
Graph fuse_group_norm(const Graph& graph, PassContext& context);
Graph fuse_norms(const Graph& graph, PassContext& context);
Graph fuse_rotary(const Graph& graph, PassContext& context);
Graph to_channels_last(const Graph& graph, PassContext& context);
Graph fold_flatten(const Graph& graph, PassContext& context);
Graph fold_pad(const Graph& graph, PassContext& context);
Graph stream(const Graph& graph, PassContext& context);
Graph fold_batch_norm(const Graph& graph, PassContext& context);
Graph form_integer_nodes(const Graph& graph, PassContext& context);
Graph common_subexpressions(const Graph& graph, PassContext& context);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_PASS_H_
