// SPDX-License-Identifier: Apache-2.0
// Facts of a graph that planning asks for again and again. In planning space.
#ifndef MEDULLA_SRC_GRAPH_USES_H_
#define MEDULLA_SRC_GRAPH_USES_H_

#include <span>

#include "medulla/backend.h"
#include "src/base/arena.h"

namespace medulla {

struct Uses {
  std::span<uint32_t> first;   // readers of tensor t: readers[first[t]] to readers[first[t + 1]]
  std::span<int32_t> readers;  // nodes, ascending; twice when a node reads a tensor twice
  std::span<bool> live;        // of each node: something needs one of its outputs
  std::span<int32_t> root;     // of each tensor: whose bytes it has; itself, unless it is a view
  std::span<bool> view;        // of each node: a view that takes no step

  std::span<const int32_t> of(int32_t tensor) const {
    const size_t t = static_cast<size_t>(tensor);
    return readers.subspan(first[t], first[t + 1] - first[t]);
  }
};

mdl_status find_uses(const mdl_graph& graph, Arena& arena, Uses* uses, mdl_error* error);

// The failure of an allocation while planning.
mdl_status fail_planning(mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_USES_H_
