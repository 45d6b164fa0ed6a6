// SPDX-License-Identifier: Apache-2.0
// Which backend runs which nodes: proposes, checks and plans groups, in execution order.
#ifndef MEDULLA_SRC_GRAPH_PLACE_H_
#define MEDULLA_SRC_GRAPH_PLACE_H_

#include <span>

#include "src/graph/program.h"
#include "src/graph/uses.h"

namespace medulla {

struct PlaceOptions {
  mdl_numerics_class numerics;  // the weakest class that a step may have
  bool strict;                  // no backend but those that were named
  const char* refusals;         // that all nodes have, of backends that do not open
  const Program* program;       // whose bodies are planned too
  bool share_memory;            // in-place steps and concatenation by placement
};

// Fills `*steps`, in planning space, in execution order; each group's arrays and what backends
// planned last as long as the program. Every live node that is not a view is in one step.
mdl_status place_nodes(const mdl_graph& graph, const Uses& uses, std::span<const Instance> backends,
                       const PlaceOptions& options, Arena& arena, std::span<Step>* steps,
                       mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_PLACE_H_
