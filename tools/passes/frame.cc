// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/frame.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

#include "tools/ir/infer.h"

namespace medulla::tools {
namespace {

TensorType type_of(const Tensor& tensor) {
  TensorType type;
  type.dtype = tensor.dtype;
  type.shape.rank = static_cast<uint32_t>(tensor.dims.size());
  std::copy(tensor.dims.begin(), tensor.dims.end(), type.shape.dims);
  return type;
}

mdl_attribute attribute_of(const std::string& name, const Attribute& value,
                           std::deque<std::vector<const char*>>& strings) {
  mdl_attribute a = {};
  a.name = name.c_str();
  if (const auto* i = std::get_if<int64_t>(&value)) {
    a.type = MDL_ATTRIBUTE_INT;
    a.i = *i;
  } else if (const auto* f = std::get_if<double>(&value)) {
    a.type = MDL_ATTRIBUTE_FLOAT;
    a.f = *f;
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    a.type = MDL_ATTRIBUTE_STRING;
    a.s = s->c_str();
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    a.type = MDL_ATTRIBUTE_INTS;
    a.ints = ints->data();
    a.count = ints->size();
  } else if (const auto* floats = std::get_if<std::vector<double>>(&value)) {
    a.type = MDL_ATTRIBUTE_FLOATS;
    a.floats = floats->data();
    a.count = floats->size();
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    a.type = MDL_ATTRIBUTE_STRINGS;
    auto& pointers = strings.emplace_back();
    for (const std::string& text : *list) pointers.push_back(text.c_str());
    a.strings = pointers.data();
    a.count = pointers.size();
  } else {
    a.type = MDL_ATTRIBUTE_GRAPH;
  }
  return a;
}

// Whether rules can look at inputs and outputs at all: "" or why not.
std::string why_unfit(const Graph& graph, const Node& node, const Op& op) {
  const size_t count = node.inputs.size(), made = node.outputs.size();
  if (made < op.min_outputs || made > op.max_outputs) {
    return "has " + std::to_string(made) + " outputs, " + node.op + " makes " +
           std::to_string(op.min_outputs) + " to " + std::to_string(op.max_outputs);
  }
  if (count < op.min_inputs || count > op.max_inputs) {
    return "has " + std::to_string(count) + " inputs, " + node.op + " takes " +
           std::to_string(op.min_inputs) + " to " + std::to_string(op.max_inputs);
  }
  for (size_t i = 0; i < count; ++i) {
    if (node.inputs[i] < 0 && i < op.min_inputs)
      return "input " + std::to_string(i) + " is missing";
    if (node.inputs[i] < 0) continue;
    const Tensor& tensor = graph.tensors.at(static_cast<size_t>(node.inputs[i]));
    if (tensor.dims.size() > MDL_MAX_RANK) {
      return "input '" + tensor.name + "' has rank " + std::to_string(tensor.dims.size()) +
             ", at most " + std::to_string(MDL_MAX_RANK) + " is possible";
    }
  }
  return "";
}

// What varies together: "N", and "N:50" for an extent that follows N in a measure of its own. Two
// such extents of one symbol are one when they are equal.
struct Varying {
  std::string symbol;  // without a measure
  int64_t extent = 0;
  bool operator<(const Varying& other) const {
    return std::tie(symbol, extent) < std::tie(other.symbol, other.extent);
  }
};

Varying varying(const Tensor& tensor, size_t d) {
  return {without_measure(tensor.symbols[d], tensor.dims[d]), tensor.dims[d]};
}

// Infers with the inputs' dimensions that vary as `which` set to `extent`; null: none.
std::string infer_at(const Graph& graph, const Node& node, const Op& op, const NodeFrame& frame,
                     const Varying* which, int64_t extent, std::vector<TensorType>& outputs) {
  std::vector<TensorType> inputs = frame.inputs();
  for (size_t i = 0; which != nullptr && i < inputs.size(); ++i) {
    if (node.inputs[i] < 0) continue;
    const Tensor& tensor = graph.tensors[static_cast<size_t>(node.inputs[i])];
    for (size_t d = 0; d < tensor.symbols.size(); ++d) {
      if (tensor.symbols[d].empty()) continue;
      const Varying found = varying(tensor, d);
      if (!(found < *which) && !(*which < found)) inputs[i].shape.dims[d] = extent;
    }
  }
  outputs = frame.outputs();
  mdl_error error = MDL_ERROR_INIT;
  return op.infer(frame.view(), inputs, outputs, &error) == MDL_OK ? "" : error.text;
}

// Symbols of the outputs are found by experiment: an extent that follows a symbol's when that
// shrinks is the symbol, or one of its own where it differs.
std::string infer_symbols(Graph& graph, const Node& node, const Op& op, const NodeFrame& frame,
                          const std::vector<TensorType>& full) {
  std::map<Varying, std::string> names;
  for (const int32_t id : node.inputs) {
    if (id < 0) continue;
    const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
    for (size_t d = 0; d < tensor.symbols.size(); ++d) {
      if (tensor.symbols[d].empty()) continue;
      std::string& name = names[varying(tensor, d)];
      if (name.empty() || tensor.symbols[d].size() < name.size()) name = tensor.symbols[d];
    }
  }
  for (const auto& [which, name] : names) {
    std::vector<int64_t> extents = smaller_extents(which.extent);
    // What is found can be nothing, and then not every shape can be inferred.
    if (extents.empty() && is_found(name)) extents = {0};
    std::vector<TensorType> shrunk;
    std::string why;
    for (const int64_t extent : extents) {
      const std::string failed = infer_at(graph, node, op, frame, &which, extent, shrunk);
      if (!failed.empty() && why.empty()) why = failed;
      if (failed.empty()) why.clear();
      if (failed.empty()) break;
    }
    if (extents.empty() || (!why.empty() && extents.front() == 0)) continue;
    if (!why.empty()) return why + only_maximum(name, which.extent);
    for (size_t o = 0; o < shrunk.size(); ++o) {
      if (node.outputs[o] < 0) continue;
      Tensor& tensor = graph.tensors[static_cast<size_t>(node.outputs[o])];
      for (uint32_t d = 0; d < shrunk[o].rank(); ++d) {
        if (shrunk[o].dim(d) == full[o].dim(d)) continue;
        tensor.symbols.resize(shrunk[o].rank());
        const int64_t extent = full[o].dim(d);
        tensor.symbols[d] =
            extent == which.extent ? name : which.symbol + ":" + std::to_string(extent);
      }
    }
  }
  return "";
}

// Not null, which would stand for what is left out.
void* pointer_to(std::byte* bytes) {
  static std::byte nothing;
  return bytes != nullptr ? bytes : &nothing;
}
const void* pointer_to(const Bytes& bytes) {
  return pointer_to(const_cast<std::byte*>(bytes.data()));
}

// Gives outputs whose extents the node found these extents.
void cut_to_found(Graph& graph, const Node& node, const Op& op, const std::vector<mdl_shape>& found,
                  std::vector<std::shared_ptr<Bytes>>& results) {
  if (op.found == nullptr) return;
  for (size_t o = 0; o < results.size(); ++o) {
    if (!results[o]) continue;
    Tensor& tensor = graph.tensors[static_cast<size_t>(node.outputs[o])];
    tensor.dims.assign(found[o].dims, found[o].dims + found[o].rank);
    tensor.symbols.clear();
    results[o]->resize(tensor.elements() * mdl_dtype_bits(tensor.dtype) / 8);
  }
}

// As in a session, a node whose outputs have no elements does nothing.
bool makes_elements(const std::vector<std::shared_ptr<Bytes>>& results) {
  return std::any_of(results.begin(), results.end(),
                     [](const auto& r) { return r != nullptr && !r->empty(); });
}

}  // namespace

NodeFrame::NodeFrame(const Graph& graph, const Node& node) {
  add_arguments(graph, node.inputs, input_ids_, input_types_);
  add_arguments(graph, node.outputs, output_ids_, output_types_);
  for (const auto& [name, value] : node.attributes) {
    attributes_.push_back(attribute_of(name, value, strings_));
  }
  node_.name = node.name.c_str();
  node_.op = node.op.c_str();
  node_.version = node.version;
  node_.attribute_count = static_cast<uint32_t>(attributes_.size());
  node_.input_count = static_cast<uint32_t>(input_ids_.size());
  node_.output_count = static_cast<uint32_t>(output_ids_.size());
  node_.attributes = attributes_.data();
  node_.inputs = input_ids_.data();
  node_.outputs = output_ids_.data();
  graph_.name = graph.name.c_str();
  graph_.tensors = tensors_.data();
  graph_.nodes = &node_;
  graph_.tensor_count = tensors_.size();
  graph_.node_count = 1;
}

void NodeFrame::add_arguments(const Graph& graph, const std::vector<int32_t>& ids,
                              std::vector<int32_t>& indices, std::vector<TensorType>& types) {
  for (const int32_t id : ids) {
    indices.push_back(id < 0 ? -1 : static_cast<int32_t>(tensors_.size()));
    types.emplace_back();
    if (id < 0) continue;
    const Tensor& from = graph.tensors[static_cast<size_t>(id)];
    types.back() = type_of(from);
    mdl_tensor& t = tensors_.emplace_back();
    t = {};
    t.name = from.name.c_str();
    t.dtype = from.dtype;
    t.rank = static_cast<uint32_t>(from.dims.size());
    std::copy(from.dims.begin(), from.dims.end(), t.dims);
    for (size_t d = 0; d < from.symbols.size(); ++d) {
      t.symbols[d] = from.symbols[d].empty() ? nullptr : from.symbols[d].c_str();
    }
    if (from.quantization) {
      t.quantization.count = from.quantization->scales.size();
      t.quantization.scales = from.quantization->scales.data();
      t.quantization.zero_points = from.quantization->zero_points.data();
      t.quantization.axis = from.quantization->axis;
    }
    t.data = from.data ? pointer_to(*from.data) : nullptr;
    t.bytes = from.elements() * mdl_dtype_bits(from.dtype) / 8;
    t.producer = -1;
    t.consumer = -1;
  }
}

std::string infer_outputs(Graph& graph, const Node& node) {
  const Op* op = find_op(node.op.c_str());
  if (op == nullptr) return "operator " + node.op + " is not built in";
  std::string why = why_unfit(graph, node, *op);
  if (!why.empty()) return why;
  const NodeFrame frame(graph, node);
  std::vector<TensorType> full;
  why = infer_at(graph, node, *op, frame, nullptr, 0, full);
  if (!why.empty()) return why;
  for (size_t o = 0; o < full.size(); ++o) {
    if (node.outputs[o] < 0) continue;
    Tensor& tensor = graph.tensors[static_cast<size_t>(node.outputs[o])];
    tensor.dtype = full[o].dtype;
    tensor.dims.assign(full[o].shape.dims, full[o].shape.dims + full[o].rank());
    tensor.symbols.clear();
    tensor.shape_known = true;
  }
  why = infer_symbols(graph, node, *op, frame, full);
  for (size_t o = 0; op->found != nullptr && o < full.size(); ++o) {
    if (node.outputs[o] < 0) continue;
    Tensor& tensor = graph.tensors[static_cast<size_t>(node.outputs[o])];
    name_found(op->found(frame.view(), o), tensor.name + "." + std::to_string(node.outputs[o]),
               tensor);
  }
  return why;
}

bool is_worth_running(const Graph& graph, const Node& node) {
  constexpr size_t kSmall = size_t{64} << 20;
  constexpr uint64_t kMostMacs = uint64_t{1} << 28;  // seconds of the reference
  const auto bytes = [&](const std::vector<int32_t>& ids) {
    size_t sum = 0;
    for (const int32_t id : ids) {
      if (id < 0) continue;
      const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
      sum += tensor.elements() * mdl_dtype_bits(tensor.dtype) / 8;
    }
    return sum;
  };
  const Op* op = find_op(node.op.c_str());
  if (op != nullptr && op->control) return false;
  if (op != nullptr && op->macs != nullptr) {
    const NodeFrame frame(graph, node);
    if (op->macs(frame.view(), frame.inputs(), frame.outputs()) > kMostMacs) return false;
  }
  return bytes(node.outputs) <= std::max(kSmall, 8 * bytes(node.inputs));
}

std::string run_node(Graph& graph, const Node& node) {
  const Op* op = find_op(node.op.c_str());
  if (op == nullptr) return "operator " + node.op + " is not built in";
  std::vector<std::shared_ptr<Bytes>> results;
  std::vector<void*> outputs;
  std::vector<const void*> inputs;
  const NodeFrame frame(graph, node);
  for (const int32_t id : node.inputs) {
    inputs.push_back(id < 0 ? nullptr : pointer_to(*graph.tensors[static_cast<size_t>(id)].data));
  }
  for (const int32_t id : node.outputs) {
    results.push_back(nullptr);
    outputs.push_back(nullptr);
    if (id < 0) continue;
    const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
    const size_t bytes = tensor.elements() * mdl_dtype_bits(tensor.dtype) / 8;
    results.back() = std::make_shared<Bytes>(bytes);
    outputs.back() = pointer_to(results.back()->data());
  }
  if (op->reference == nullptr) {
    if (!op->view) return "operator " + node.op + " has no reference";
    std::memcpy(outputs[0], inputs[0], results[0]->size());
  } else if (makes_elements(results) || op->found != nullptr) {
    Bytes scratch(op->scratch ? op->scratch(frame.view(), frame.inputs(), frame.outputs()) : 0);
    std::vector<mdl_shape> found;
    for (const TensorType& type : frame.outputs()) found.push_back(type.shape);
    const ReferenceCall call{frame.view(),   frame.inputs(), frame.outputs(), inputs, outputs,
                             scratch.data(), found};
    mdl_error error = MDL_ERROR_INIT;
    if (op->reference(call, &error) != MDL_OK) return error.text;
    cut_to_found(graph, node, *op, found, results);
  }
  for (size_t o = 0; o < results.size(); ++o) {
    if (results[o]) graph.tensors[static_cast<size_t>(node.outputs[o])].data = results[o];
  }
  return "";
}

}  // namespace medulla::tools
