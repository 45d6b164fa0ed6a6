// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TOOLS_IMPORT_CYCLE_H_
#define MEDULLA_TOOLS_IMPORT_CYCLE_H_

#include <map>
#include <string>
#include <vector>

namespace medulla::tools {

// The shortest way along inputs from a node back to itself: "'a' reads 'b' reads 'a'", or "".
// `makers_of` lists the nodes that make what one reads.
template <class Node, class MakersOf, class NameOf>
std::string cycle_through(Node node, const MakersOf& makers_of, const NameOf& name_of) {
  std::map<Node, Node> reader;
  std::vector<Node> list = {node};
  for (size_t i = 0; i < list.size(); ++i) {
    for (const Node from : makers_of(list[i])) {
      if (!reader.emplace(from, list[i]).second) continue;
      if (from != node) {
        list.push_back(from);
        continue;
      }
      std::string text = "'" + name_of(node) + "'";
      for (Node at = reader.at(node); at != node; at = reader.at(at)) {
        text = "'" + name_of(at) + "' reads " + text;
      }
      return "'" + name_of(node) + "' reads " + text;
    }
  }
  return "";
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_CYCLE_H_
