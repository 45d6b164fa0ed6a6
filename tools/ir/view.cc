// SPDX-License-Identifier: Apache-2.0
#include "tools/ir/view.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace medulla::tools {

size_t tensor_bytes(mdl_dtype dtype, const std::vector<int64_t>& dims) {
  size_t elements = 1;
  for (int64_t d : dims) elements *= static_cast<size_t>(d);
  return (elements * mdl_dtype_bits(dtype) + 7) / 8;
}

GraphView::GraphView(const Graph& graph) {
  tensors_.reserve(graph.tensors.size());
  nodes_.reserve(graph.nodes.size());
  for (const Tensor& tensor : graph.tensors) add_tensor(tensor);
  for (const Node& node : graph.nodes) add_node(node);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (int32_t t : graph.nodes[n].outputs) {
      if (t >= 0) tensor(t).producer = static_cast<int32_t>(n);
    }
    for (int32_t t : graph.nodes[n].inputs) {
      if (t < 0) continue;
      if (tensor(t).consumer_count++ == 0) tensor(t).consumer = static_cast<int32_t>(n);
    }
  }
  for (int32_t t : graph.inputs) tensor(t).flags |= MDL_TENSOR_INPUT;
  for (int32_t t : graph.outputs) tensor(t).flags |= MDL_TENSOR_OUTPUT;
  for (const State& state : graph.states) {
    tensor(state.tensor).flags |= MDL_TENSOR_STATE;
    // -1 while the graph is being built.
    if (state.written >= 0) tensor(state.written).flags |= MDL_TENSOR_WRITTEN;
    states_.push_back({state.tensor, state.written, state.kind, state.axis,
                       state.initial != nullptr ? state.initial->data() : nullptr});
  }
  graph_.name = graph.name.c_str();
  graph_.tensors = tensors_.data();
  graph_.nodes = nodes_.data();
  graph_.inputs = graph.inputs.data();
  graph_.outputs = graph.outputs.data();
  graph_.states = states_.data();
  graph_.tensor_count = tensors_.size();
  graph_.node_count = nodes_.size();
  graph_.input_count = graph.inputs.size();
  graph_.output_count = graph.outputs.size();
  graph_.state_count = states_.size();
}

void GraphView::add_tensor(const Tensor& tensor) {
  if (tensor.dims.size() > MDL_MAX_RANK) {
    throw std::runtime_error("tensor '" + tensor.name + "' has rank " +
                             std::to_string(tensor.dims.size()) + ", at most " +
                             std::to_string(MDL_MAX_RANK) + " is possible");
  }
  mdl_tensor view = {};
  view.name = tensor.name.c_str();
  view.dtype = tensor.dtype;
  view.rank = static_cast<uint32_t>(tensor.dims.size());
  std::ranges::copy(tensor.dims, view.dims);
  for (size_t d = 0; d < tensor.symbols.size(); ++d) {
    if (!tensor.symbols[d].empty()) view.symbols[d] = tensor.symbols[d].c_str();
  }
  if (tensor.quantization) {
    view.quantization = {tensor.quantization->scales.size(), tensor.quantization->scales.data(),
                         tensor.quantization->zero_points.data(), tensor.quantization->axis};
  }
  view.bytes = tensor_bytes(tensor.dtype, tensor.dims);
  view.producer = -1;
  view.consumer = -1;
  if (tensor.data != nullptr) {
    view.data = tensor.data->data();
    if (reinterpret_cast<uintptr_t>(view.data) % MDL_ALIGNMENT != 0 || tensor.data->empty()) {
      std::vector<Line>& copy =
          copies_.emplace_back(tensor.data->size() / MDL_ALIGNMENT + 1, Line{});
      if (!tensor.data->empty()) std::memcpy(copy.data(), view.data, tensor.data->size());
      view.data = copy.data();
    }
  }
  tensors_.push_back(view);
}

void GraphView::add_node(const Node& node) {
  std::vector<mdl_attribute>& attributes = attributes_.emplace_back();
  for (const auto& [name, attribute] : node.attributes) attributes.push_back(view(name, attribute));
  mdl_node view = {};
  view.name = node.name.c_str();
  view.op = node.op.c_str();
  view.version = node.version;
  view.attribute_count = static_cast<uint32_t>(attributes.size());
  view.input_count = static_cast<uint32_t>(node.inputs.size());
  view.output_count = static_cast<uint32_t>(node.outputs.size());
  view.attributes = attributes.data();
  view.inputs = node.inputs.data();
  view.outputs = node.outputs.data();
  nodes_.push_back(view);
}

mdl_attribute GraphView::view(const std::string& name, const Attribute& attribute) {
  mdl_attribute view = {};
  view.name = name.c_str();
  view.type = static_cast<mdl_attribute_type>(attribute.index());
  if (const auto* i = std::get_if<int64_t>(&attribute)) {
    view.i = *i;
  } else if (const auto* f = std::get_if<double>(&attribute)) {
    view.f = *f;
  } else if (const auto* s = std::get_if<std::string>(&attribute)) {
    view.s = s->c_str();
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) {
    view.ints = ints->data();
    view.count = ints->size();
  } else if (const auto* floats = std::get_if<std::vector<double>>(&attribute)) {
    view.floats = floats->data();
    view.count = floats->size();
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute)) {
    std::vector<const char*>& list = strings_.emplace_back();
    for (const std::string& text : *strings) list.push_back(text.c_str());
    view.strings = list.data();
    view.count = list.size();
  }
  return view;
}

}  // namespace medulla::tools
