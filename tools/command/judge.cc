// SPDX-License-Identifier: Apache-2.0
#include "tools/command/judge.h"

#include <algorithm>
#include <limits>
#include <map>

namespace medulla::tools {

void judge(const mdl_graph& graph, std::vector<Difference>& compared) {
  constexpr double kEqual = std::numeric_limits<double>::infinity();
  std::map<std::string, Difference*> differences;
  for (Difference& d : compared) differences.emplace(d.tensor, &d);
  std::vector<double> sqnr(graph.tensor_count, kEqual);
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    double lowest = kEqual;
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] >= 0) lowest = std::min(lowest, sqnr[static_cast<size_t>(node.inputs[i])]);
    }
    for (uint32_t o = 0; o < node.output_count; ++o) {
      if (node.outputs[o] < 0) continue;
      const auto t = static_cast<size_t>(node.outputs[o]);
      sqnr[t] = lowest;  // that of what was not compared, too
      const auto found = differences.find(graph.tensors[t].name);
      if (found == differences.end()) continue;
      Difference& d = *found->second;
      d.handed_on = d.over && lowest < kEqual && d.sqnr >= lowest - kFall;
      d.over = d.over && !d.handed_on;
      sqnr[t] = (d.units && !d.against_float) || lowest < kEqual ? d.sqnr : kEqual;
    }
  }
}

}  // namespace medulla::tools
