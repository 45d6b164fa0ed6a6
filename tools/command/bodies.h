// SPDX-License-Identifier: Apache-2.0
// A model's graphs: the main one and the bodies of its nodes.
#ifndef MEDULLA_TOOLS_COMMAND_BODIES_H_
#define MEDULLA_TOOLS_COMMAND_BODIES_H_

#include <string>
#include <vector>

#include "medulla/backend.h"

namespace medulla::tools {

// The graphs that a node runs, in the order in which a plan lists them.
std::vector<const mdl_graph*> bodies_of(const mdl_node& node);

// What stands for the graph in the paths of what is inside: its name, or that of its node.
std::string body_name(const mdl_node& node, const mdl_graph& body);

struct PlacedGraph {
  const mdl_graph* graph;
  std::string path;  // what stands before its names: "", "loop.body/", "loop.body/if.then/"
};

// `main` and all below it, each behind the graph that it stands in.
std::vector<PlacedGraph> all_graphs(const mdl_graph& main);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_BODIES_H_
