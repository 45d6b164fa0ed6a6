// SPDX-License-Identifier: Apache-2.0
// The frame of a pass: nodes of `from` are visited in order, and what takes the place of each is
// appended to a new graph. A node whose result nobody asks for in the end is dropped by finish().
#ifndef MEDULLA_TOOLS_PASSES_REWRITER_H_
#define MEDULLA_TOOLS_PASSES_REWRITER_H_

#include <vector>

#include "tools/passes/builder.h"

namespace medulla::tools {

class Rewriter {
 public:
  explicit Rewriter(const Graph& from);
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  const Graph& from;
  Graph to;
  Builder build;

  // The new graph's tensor that stands for one of `from`; inputs and constants are copied when they
  // are first asked for. -1 for -1.
  int32_t at(int32_t tensor);
  void set(int32_t tensor, int32_t replacement) { map_[static_cast<size_t>(tensor)] = replacement; }
  // The node as it is, on the tensors that stand for its own.
  void keep(const Node& node);

  const Tensor& tensor(int32_t id) const { return from.tensors[static_cast<size_t>(id)]; }
  // The node of `from` that makes a tensor, or null.
  const Node* producer(int32_t tensor) const;
  // The same, when it is an `op`.
  const Node* producer(int32_t tensor, const char* op) const;
  // How often a tensor is read, by nodes, outputs and states; one that is absent never.
  size_t uses(int32_t tensor) const { return tensor < 0 ? 0 : uses_[static_cast<size_t>(tensor)]; }
  // The value of a constant float32 of one element.
  std::optional<double> number(int32_t tensor) const;
  // The only node that reads it, or null.
  const Node* only_reader(int32_t tensor) const;

  // Inputs, outputs and states keep their order and names; what is dead goes.
  Graph finish();
  // A whole pass: each node for which `replace` says that it has made nothing instead is kept.
  template <class Replace>
  Graph run(Replace replace) {
    for (const Node& node : from.nodes) {
      if (!replace(node)) keep(node);
    }
    return finish();
  }

 private:
  std::vector<int32_t> map_;
  std::vector<const Node*> producers_;
  std::vector<const Node*> readers_;
  std::vector<size_t> uses_;
};

// Gives every tensor and every node a name of its own; inputs and outputs keep theirs.
void make_names_unique(Graph& graph);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_REWRITER_H_
