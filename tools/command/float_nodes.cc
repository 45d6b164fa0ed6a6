// SPDX-License-Identifier: Apache-2.0
#include "tools/command/float_nodes.h"

#include "tools/common/integer_forms.h"

namespace medulla::tools {
namespace {

bool is_op(const mdl_node& node, std::string_view op) { return node.op == op; }

std::string quoted(const mdl_tensor& tensor) { return std::string("'") + tensor.name + "'"; }

size_t elements(const mdl_tensor& tensor) {
  size_t count = 1;
  for (uint32_t d = 0; d < tensor.rank; ++d) count *= static_cast<size_t>(tensor.dims[d]);
  return count;
}

// Why integers are not quantized as activations of `op` are; "" if they are.
std::string why_not_integer(const mdl_tensor& tensor, std::string_view op) {
  if (tensor.dtype == MDL_INT16) {
    if (!is_among(op, kInt16Forms) && !is_among(op, kMoverForms) && !is_among(op, kLayerForms)) {
      return quoted(tensor) + " is int16, of which there is no integer form of " + std::string(op);
    }
  } else if (tensor.dtype != MDL_INT8) {
    return quoted(tensor) + " is " + mdl_dtype_name(tensor.dtype) + ", not int8";
  }
  return tensor.quantization.count == 1 ? "" : quoted(tensor) + " has more than one scale";
}

class Reasons {
 public:
  Reasons(const PlacedGraph& placed, const mdl_node& node)
      : graph_(*placed.graph), is_body_(!placed.path.empty()), node_(node) {}

  std::string text() const {
    const bool elementwise = is_among(node_.op, kElementwiseForms);
    const bool mover = is_among(node_.op, kMoverForms);
    const bool layer = is_among(node_.op, kLayerForms);
    if (!elementwise && !mover && !layer && !is_among(node_.op, kOtherForms)) {
      return std::string("no integer form of ") + node_.op;
    }
    // Layers of int16 give int16 alone.
    if (const std::string why = layer && takes_int16() ? of_output() : ""; !why.empty()) return why;
    for (uint32_t i = 0; i < node_.input_count; ++i) {
      if (node_.inputs[i] < 0) continue;
      const std::string why = of_input(i, layer, elementwise);
      if (!why.empty()) return why;
    }
    const std::string why = mover || layer ? "" : of_output();
    return why.empty() ? "its attributes or numbers have no integer form" : why;
  }

 private:
  const mdl_tensor& tensor(int32_t id) const { return graph_.tensors[id]; }

  const mdl_node* producer(const mdl_tensor& tensor) const {
    return tensor.producer < 0 ? nullptr : &graph_.nodes[tensor.producer];
  }

  // Whether input 0 is the DequantizeLinear of int16.
  bool takes_int16() const {
    const mdl_node* from = producer(tensor(node_.inputs[0]));
    return from != nullptr && is_op(*from, "DequantizeLinear") &&
           tensor(from->inputs[0]).dtype == MDL_INT16;
  }

  std::string of_input(uint32_t i, bool layer, bool elementwise) const {
    const mdl_tensor& x = tensor(node_.inputs[i]);
    if (x.data != nullptr) {
      if (layer && i == 1) return "weights " + quoted(x) + " are not quantized";
      const bool pairs = is_op(node_, "Add") || is_op(node_, "Mul") || is_op(node_, "Sub");
      if (elementwise && elements(x) > 1) {
        return "constant " + quoted(x) + (pairs ? " is not quantized" : " has several elements");
      }
      return "";
    }
    if (x.dtype != MDL_FLOAT32) return "";
    const mdl_node* from = producer(x);
    if (from != nullptr && is_op(*from, "DequantizeLinear")) {
      if (layer && i == 1 && takes_int16()) return "weights " + quoted(x) + " are not constant";
      return why_not_integer(tensor(from->inputs[0]), node_.op);
    }
    if (layer && i == 1) return "weights " + quoted(x) + " are not constant";
    return "no DequantizeLinear before its input " + quoted(x);
  }

  std::string of_output() const {
    const mdl_tensor* y = &tensor(node_.outputs[0]);
    while (true) {
      if ((y->flags & MDL_TENSOR_OUTPUT) != 0) {
        return "output " + quoted(*y) + " of the " + (is_body_ ? "body" : "model") + " is float32";
      }
      if (y->consumer_count != 1) break;
      const mdl_node& reader = graph_.nodes[y->consumer];
      if (is_op(reader, "QuantizeLinear"))
        return why_not_integer(tensor(reader.outputs[0]), node_.op);
      if (!is_op(reader, "Relu") && !is_op(reader, "Clip")) break;
      y = &tensor(reader.outputs[0]);
    }
    return std::string("no QuantizeLinear right after node '") + node_.name + "'";
  }

  const mdl_graph& graph_;
  const bool is_body_;
  const mdl_node& node_;
};

bool is_quantized(const mdl_graph& graph) {
  return std::any_of(graph.tensors, graph.tensors + graph.tensor_count, [](const mdl_tensor& t) {
    return (t.dtype == MDL_INT8 || t.dtype == MDL_INT16) && t.data == nullptr &&
           t.quantization.count > 0;
  });
}

}  // namespace

std::vector<FloatNode> float_nodes(const std::vector<PlacedGraph>& graphs) {
  std::vector<FloatNode> found;
  if (std::none_of(graphs.begin(), graphs.end(),
                   [](const PlacedGraph& placed) { return is_quantized(*placed.graph); })) {
    return found;
  }
  for (const PlacedGraph& placed : graphs) {
    const mdl_graph& graph = *placed.graph;
    for (size_t n = 0; n < graph.node_count; ++n) {
      const mdl_node& node = graph.nodes[n];
      if (!bodies_of(node).empty()) continue;  // what is inside computes
      int32_t y = -1;                          // the first that is not left out
      for (uint32_t o = node.output_count; o-- > 0;) y = node.outputs[o] >= 0 ? node.outputs[o] : y;
      const bool integer = node.input_count > 0 && node.inputs[0] >= 0 &&
                           graph.tensors[node.inputs[0]].dtype != MDL_FLOAT32;
      if (y < 0 || graph.tensors[y].dtype != MDL_FLOAT32 || integer) continue;
      found.push_back({placed.path + node.name, node.op, Reasons(placed, node).text()});
    }
  }
  return found;
}

}  // namespace medulla::tools
