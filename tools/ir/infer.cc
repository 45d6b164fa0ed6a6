// SPDX-License-Identifier: Apache-2.0
#include "tools/ir/infer.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "src/ops/op.h"
#include "tools/ir/view.h"

namespace medulla::tools {
namespace {

TensorType type_of(const mdl_tensor& tensor) {
  TensorType type;
  type.dtype = tensor.dtype;
  type.shape.rank = tensor.rank;
  std::copy_n(tensor.dims, tensor.rank, type.shape.dims);
  return type;
}

// Infers the outputs of `node` into the view.
void infer_in_view(GraphView& view, const mdl_node& node) {
  const NodeView node_view(view.graph(), node);
  const Op* op = find_op(node.op);
  if (op == nullptr) {
    throw std::runtime_error(std::string("node '") + node.name + "': no operator is called '" +
                             node.op + "'");
  }
  std::vector<TensorType> inputs(node.input_count);
  std::vector<TensorType> outputs(node.output_count);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (node_view.input(i) != nullptr) inputs[i] = type_of(*node_view.input(i));
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (node_view.output(o) != nullptr) outputs[o].dtype = node_view.output(o)->dtype;
  }
  mdl_error error = MDL_ERROR_INIT;
  if (op->infer(node_view, inputs, outputs, &error) != MDL_OK) {
    throw std::runtime_error(error.text);
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (node_view.output(o) == nullptr) continue;
    mdl_tensor& tensor = view.tensor(node.outputs[o]);
    tensor.dtype = outputs[o].dtype;
    tensor.rank = outputs[o].shape.rank;
    std::copy_n(outputs[o].shape.dims, tensor.rank, tensor.dims);
    tensor.bytes = tensor_bytes(tensor.dtype, {tensor.dims, tensor.dims + tensor.rank});
  }
}

void store(const GraphView& view, const Node& node, Graph& graph) {
  for (int32_t t : node.outputs) {
    if (t < 0) continue;
    const mdl_tensor& from = view.graph().tensors[t];
    Tensor& to = graph.tensors[static_cast<size_t>(t)];
    to.dtype = from.dtype;
    to.dims.assign(from.dims, from.dims + from.rank);
    to.shape_known = true;
  }
}

// Where `symbol` stands, its extent becomes half: what changes with it is dynamic too.
void carry_symbol(const std::string& symbol, Graph& graph) {
  Graph half = graph;
  int64_t maximum = 1;
  for (Tensor& tensor : half.tensors) {
    for (size_t d = 0; d < tensor.symbols.size(); ++d) {
      if (tensor.symbols[d] != symbol) continue;
      maximum = tensor.dims[d];
      tensor.dims[d] = std::max<int64_t>(1, maximum / 2);
    }
  }
  if (maximum == 1) return;
  GraphView view(half);
  for (size_t n = 0; n < half.nodes.size(); ++n) infer_in_view(view, view.graph().nodes[n]);
  for (const Node& node : half.nodes) store(view, node, half);
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    Tensor& tensor = graph.tensors[t];
    for (size_t d = 0; d < tensor.dims.size(); ++d) {
      if (tensor.dims[d] == half.tensors[t].dims[d]) continue;
      tensor.symbols.resize(tensor.dims.size());
      // One symbol has one maximum: an extent that follows it in another measure is one of its own.
      tensor.symbols[d] =
          tensor.dims[d] == maximum ? symbol : symbol + ":" + std::to_string(tensor.dims[d]);
    }
  }
}

}  // namespace

void infer_node(Graph& graph, const Node& node) {
  GraphView view(graph);
  const auto index = static_cast<size_t>(&node - graph.nodes.data());
  infer_in_view(view, view.graph().nodes[index]);
  store(view, node, graph);
}

void infer_shapes(Graph& graph) {
  {
    GraphView view(graph);
    for (size_t n = 0; n < graph.nodes.size(); ++n) infer_in_view(view, view.graph().nodes[n]);
    for (const Node& node : graph.nodes) store(view, node, graph);
  }
  std::set<std::string> symbols;
  const auto collect = [&](int32_t tensor) {
    for (const std::string& symbol : graph.tensors[static_cast<size_t>(tensor)].symbols) {
      if (!symbol.empty()) symbols.insert(symbol);
    }
  };
  for (int32_t tensor : graph.inputs) collect(tensor);
  for (const State& state : graph.states) collect(state.tensor);
  for (const Node& node : graph.nodes) {
    for (int32_t tensor : node.outputs) {
      if (tensor >= 0) graph.tensors[static_cast<size_t>(tensor)].symbols.clear();
    }
  }
  for (const std::string& symbol : symbols) carry_symbol(symbol, graph);
}

}  // namespace medulla::tools
