// SPDX-License-Identifier: Apache-2.0
//   [w int8] -> DequantizeLinear -> Transpose -> ConvTranspose     [w float32] -> ConvTranspose
//
// What depends on constants alone is executed by the operators' references.
#include <algorithm>

#include "tools/passes/frame.h"
#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {

Graph fold_constants(const Graph& graph, PassContext& context) {
  Rewriter rewrite(graph);
  for (const Node& node : graph.nodes) {
    rewrite.keep(node);
    const Node& kept = rewrite.to.nodes.back();
    const Op* op = find_op(kept.op.c_str());
    if ((op != nullptr && op->control) ||
        !std::all_of(kept.inputs.begin(), kept.inputs.end(),
                     [&](int32_t t) { return t < 0 || rewrite.to.is_constant(t); })) {
      continue;
    }
    if (!is_worth_running(rewrite.to, kept)) {
      context.notes.push_back("not folded: '" + kept.name + "' (" + kept.op +
                              ") reads constants alone, and is too large to be computed before "
                              "the run");
      continue;
    }
    const std::string why = run_node(rewrite.to, kept);
    if (why.empty()) {
      rewrite.to.nodes.pop_back();
    } else {
      context.notes.push_back("not folded: " + why);
    }
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
