// SPDX-License-Identifier: Apache-2.0
#include "tools/command/bodies.h"

namespace medulla::tools {
namespace {

void add_graphs(const mdl_graph& graph, const std::string& path, std::vector<PlacedGraph>& all) {
  all.push_back({&graph, path});
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    for (const mdl_graph* body : bodies_of(node)) {
      add_graphs(*body, path + body_name(node, *body) + "/", all);
    }
  }
}

}  // namespace

std::vector<const mdl_graph*> bodies_of(const mdl_node& node) {
  std::vector<const mdl_graph*> bodies;
  for (const std::string name : {"body", "then_branch", "else_branch"}) {
    for (uint32_t a = 0; a < node.attribute_count; ++a) {
      if (node.attributes[a].name == name) bodies.push_back(node.attributes[a].graph);
    }
  }
  return bodies;
}

std::string body_name(const mdl_node& node, const mdl_graph& body) {
  const std::string name = body.name != nullptr ? body.name : "";
  return name.empty() ? node.name : name;
}

std::vector<PlacedGraph> all_graphs(const mdl_graph& main) {
  std::vector<PlacedGraph> all;
  add_graphs(main, "", all);
  return all;
}

}  // namespace medulla::tools
