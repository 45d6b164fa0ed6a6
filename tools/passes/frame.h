// SPDX-License-Identifier: Apache-2.0
// Nodes of the converter's graph as src/ops sees them: inference and execution of one node.
#ifndef MEDULLA_TOOLS_PASSES_FRAME_H_
#define MEDULLA_TOOLS_PASSES_FRAME_H_

#include <deque>
#include <string>
#include <vector>

#include "src/ops/op.h"
#include "tools/ir/graph.h"

namespace medulla::tools {

// The C view of one node and of its arguments. Graph and node have to outlive it unchanged.
class NodeFrame {
 public:
  NodeFrame(const Graph& graph, const Node& node);
  NodeFrame(const NodeFrame&) = delete;
  NodeFrame& operator=(const NodeFrame&) = delete;

  NodeView view() const { return {graph_, node_}; }
  // Types by position; dtype NONE: left out.
  const std::vector<TensorType>& inputs() const { return input_types_; }
  const std::vector<TensorType>& outputs() const { return output_types_; }

 private:
  void add_arguments(const Graph& graph, const std::vector<int32_t>& ids,
                     std::vector<int32_t>& indices, std::vector<TensorType>& types);

  std::vector<mdl_tensor> tensors_;
  std::vector<mdl_attribute> attributes_;
  std::deque<std::vector<const char*>> strings_;
  std::vector<int32_t> input_ids_, output_ids_;
  std::vector<TensorType> input_types_, output_types_;
  mdl_node node_ = {};
  mdl_graph graph_ = {};
};

// Sets dtype, dims and symbols of the node's outputs by the operator's own rules. Returns "", or
// why the node is not valid.
std::string infer_outputs(Graph& graph, const Node& node);

// Whether a node on constants may become one: not when a small file claims gigabytes.
bool is_worth_running(const Graph& graph, const Node& node);

// Runs the reference on constant inputs and makes the outputs constants. Returns "", or why not.
std::string run_node(Graph& graph, const Node& node);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_FRAME_H_
