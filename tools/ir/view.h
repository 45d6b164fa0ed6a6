// SPDX-License-Identifier: Apache-2.0
// A graph of the converter as the runtime's mdl_graph, for operators' rules and references.
#ifndef MEDULLA_TOOLS_IR_VIEW_H_
#define MEDULLA_TOOLS_IR_VIEW_H_

#include <deque>
#include <vector>

#include "medulla/backend.h"
#include "tools/ir/graph.h"

namespace medulla::tools {

// Owns the tables; names and constants point into the graph, which has to outlive it unchanged.
// Constants are copied when their bytes are not aligned to MDL_ALIGNMENT.
class GraphView {
 public:
  explicit GraphView(const Graph& graph);
  GraphView(const GraphView&) = delete;
  GraphView& operator=(const GraphView&) = delete;

  const mdl_graph& graph() const { return graph_; }
  // For the shape driver, which fills in what it infers.
  mdl_tensor& tensor(int32_t index) { return tensors_[static_cast<size_t>(index)]; }

 private:
  struct alignas(MDL_ALIGNMENT) Line {
    std::byte bytes[MDL_ALIGNMENT];
  };

  void add_tensor(const Tensor& tensor);
  void add_node(const Node& node);
  mdl_attribute view(const std::string& name, const Attribute& attribute);

  mdl_graph graph_ = {};
  std::vector<mdl_tensor> tensors_;
  std::vector<mdl_node> nodes_;
  std::vector<mdl_state> states_;
  std::deque<std::vector<mdl_attribute>> attributes_;
  std::deque<std::vector<const char*>> strings_;
  std::deque<std::vector<Line>> copies_;
};

// Bytes of a dense tensor; int4 takes half a byte an element, rounded up.
size_t tensor_bytes(mdl_dtype dtype, const std::vector<int64_t>& dims);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IR_VIEW_H_
