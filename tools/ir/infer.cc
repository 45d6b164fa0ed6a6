// SPDX-License-Identifier: Apache-2.0
#include "tools/ir/infer.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "src/ops/op.h"
#include "tools/ir/view.h"

namespace medulla::tools {
namespace {

// Infers the outputs of `node` into the view.
void infer_in_view(GraphView& view, const mdl_node& node) {
  const NodeView node_view(view.graph(), node);
  const Op* op = find_op(node.op);
  if (op == nullptr) {
    throw std::runtime_error(std::string("node '") + node.name + "': no operator is called '" +
                             node.op + "'");
  }
  // A body's results are what its graph declares, and so are the node's.
  if (op->control) return;
  std::vector<TensorType> inputs(node.input_count);
  std::vector<TensorType> outputs(node.output_count);
  for (size_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = max_type(node_view.input(i));
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

std::string found_symbol(const std::string& name) { return name + ":found"; }

// Where `symbol` stands, its extent becomes `extent`: what changes with it is dynamic too.
void carry_symbol(const std::string& symbol, int64_t maximum, int64_t extent, Graph& graph) {
  Graph other = graph;
  for (Tensor& tensor : other.tensors) {
    for (size_t d = 0; d < tensor.symbols.size(); ++d) {
      if (tensor.symbols[d] == symbol) tensor.dims[d] = extent;
    }
  }
  GraphView view(other);
  for (size_t n = 0; n < other.nodes.size(); ++n) {
    infer_in_view(view, view.graph().nodes[n]);
    // Inference gives the most that a node can find.
    for (const int32_t t : other.nodes[n].outputs) {
      if (t < 0) continue;
      const Tensor& found = graph.tensors[static_cast<size_t>(t)];
      if (found_symbol(found.name) != symbol) continue;
      for (size_t d = 0; d < found.symbols.size(); ++d) {
        if (found.symbols[d] == symbol) view.tensor(t).dims[d] = extent;
      }
    }
  }
  for (const Node& node : other.nodes) store(view, node, other);
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    Tensor& tensor = graph.tensors[t];
    for (size_t d = 0; d < tensor.dims.size(); ++d) {
      if (tensor.dims[d] == other.tensors[t].dims[d]) continue;
      tensor.symbols.resize(tensor.dims.size());
      if (tensor.symbols[d] == found_symbol(tensor.name)) continue;
      // One symbol has one maximum: an extent that follows it in another measure is one of its own.
      tensor.symbols[d] =
          tensor.dims[d] == maximum ? symbol : symbol + ":" + std::to_string(tensor.dims[d]);
    }
  }
}

void carry_symbol(const std::string& symbol, int64_t maximum, Graph& graph) {
  std::string why;
  for (const int64_t extent : smaller_extents(maximum)) {
    try {
      carry_symbol(symbol, maximum, extent, graph);
      why.clear();
      break;
    } catch (const std::runtime_error& error) {
      if (why.empty()) why = error.what();
    }
  }
  if (!why.empty()) throw std::runtime_error(why + only_maximum(symbol, maximum));
  if (!is_found(symbol)) return;
  try {
    carry_symbol(symbol, maximum, 0, graph);
  } catch (const std::runtime_error&) {
    // Not every operator takes nothing.
  }
}

void name_all_found(Graph& graph) {
  const GraphView view(graph);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Op* op = find_op(graph.nodes[n].op.c_str());
    if (op->found == nullptr || op->control) continue;
    const NodeView node(view.graph(), view.graph().nodes[n]);
    for (size_t o = 0; o < graph.nodes[n].outputs.size(); ++o) {
      const int32_t t = graph.nodes[n].outputs[o];
      if (t < 0) continue;
      Tensor& tensor = graph.tensors[static_cast<size_t>(t)];
      name_found(op->found(node, o), tensor.name, tensor);
    }
  }
}

}  // namespace

void name_found(uint32_t mask, const std::string& name, Tensor& tensor) {
  for (size_t d = 0; d < tensor.dims.size(); ++d) {
    if ((mask >> d & 1) == 0) continue;
    tensor.symbols.resize(tensor.dims.size());
    tensor.symbols[d] = found_symbol(name);
  }
}

std::vector<int64_t> smaller_extents(int64_t maximum) {
  constexpr int64_t kParts = 64;
  std::vector<int64_t> extents;
  for (int64_t parts = 2; parts <= kParts; ++parts) {
    const int64_t extent = maximum / parts * (parts - 1) + maximum % parts * (parts - 1) / parts;
    if (extent >= 1 && (extents.empty() || extent > extents.back())) extents.push_back(extent);
  }
  if (!extents.empty() && extents.back() < maximum - 1) extents.push_back(maximum - 1);
  return extents;
}

std::string only_maximum(const std::string& symbol, int64_t maximum) {
  const std::string name = without_measure(symbol, maximum);
  return " (with " + symbol + "=" + std::to_string(smaller_extents(maximum).front()) +
         ", and with no smaller extent that was tried; where only the maximum is valid, make it "
         "static with --fix-dim " +
         name + "=N)";
}

std::string without_measure(const std::string& symbol, int64_t extent) {
  const std::string measure = ":" + std::to_string(extent);
  const bool follows = symbol.ends_with(measure) && symbol.size() > measure.size();
  return follows ? symbol.substr(0, symbol.size() - measure.size()) : symbol;
}

bool is_found(const std::string& symbol) { return symbol.find(":found") != std::string::npos; }

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
  std::map<std::string, int64_t> maxima;
  const auto collect = [&](const Tensor& tensor) {
    for (size_t d = 0; d < tensor.symbols.size(); ++d) {
      if (!tensor.symbols[d].empty()) maxima[tensor.symbols[d]] = tensor.dims[d];
    }
  };
  const auto at = [&](int32_t tensor) -> Tensor& {
    return graph.tensors[static_cast<size_t>(tensor)];
  };
  for (int32_t tensor : graph.inputs) collect(at(tensor));
  for (const State& state : graph.states) collect(at(state.tensor));
  for (const Node& node : graph.nodes) {
    const bool control = find_op(node.op.c_str())->control;
    for (int32_t t : node.outputs) {
      if (t < 0) continue;
      uint32_t kept = 0;
      Tensor& tensor = at(t);
      for (size_t d = 0; control && d < tensor.symbols.size(); ++d) {
        kept |= (tensor.symbols[d].empty() ? 0u : 1u) << d;
      }
      tensor.symbols.clear();
      name_found(kept, tensor.name, tensor);
    }
  }
  name_all_found(graph);
  for (const Node& node : graph.nodes) {
    for (int32_t tensor : node.outputs) {
      if (tensor >= 0) collect(at(tensor));
    }
  }
  // What is found comes last: an extent that depends on it varies although the inputs do not.
  for (const bool found : {false, true}) {
    for (const auto& [symbol, maximum] : maxima) {
      if (is_found(symbol) == found) carry_symbol(symbol, maximum, graph);
    }
  }
}

}  // namespace medulla::tools
