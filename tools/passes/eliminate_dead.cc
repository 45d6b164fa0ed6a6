// SPDX-License-Identifier: Apache-2.0
//   x -> Identity -> Relu -> y         x -> Relu -> y
//   x -> Exp -> (nobody)          =>
#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {

Graph eliminate_dead(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  for (const Node& node : graph.nodes) {
    const bool renames = node.op == "Identity" && rewrite.tensor(node.inputs[0]).quantization ==
                                                      rewrite.tensor(node.outputs[0]).quantization;
    if (renames) {
      rewrite.set(node.outputs[0], rewrite.at(node.inputs[0]));
    } else {
      rewrite.keep(node);
    }
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
