// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "tools/command/bodies.h"
#include "tools/command/engine.h"
#include "tools/command/inspect.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Nodes, tensors that come in or go out, edges; bodies as clusters. `id` begins what is called in
// this graph.
void write_graph(std::ostream& out, const mdl_graph& graph, const std::string& id,
                 const std::string& path) {
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    const std::string own = id + "n" + std::to_string(n);
    out << "  " << own << " [label=" << quoted(std::string(node.op) + " " + node.name) << "];\n";
    size_t b = 0;
    for (const mdl_graph* body : bodies_of(node)) {
      const std::string inside = own + "b" + std::to_string(b++);
      const std::string name = path + body_name(node, *body);
      out << "  subgraph cluster_" << inside << " {\n  label=" << quoted(name) << ";\n";
      write_graph(out, *body, inside, name + "/");
      out << "  }\n";
    }
  }
  for (size_t t = 0; t < graph.tensor_count; ++t) {
    const mdl_tensor& tensor = graph.tensors[t];
    if ((tensor.flags & (MDL_TENSOR_INPUT | MDL_TENSOR_STATE)) != 0) {
      out << "  " << id << "t" << t << " [shape=ellipse, label=" << quoted(tensor.name) << "];\n";
    }
    if ((tensor.flags & (MDL_TENSOR_OUTPUT | MDL_TENSOR_WRITTEN)) != 0) {
      out << "  " << id << "o" << t << " [shape=ellipse, label=" << quoted(tensor.name) << "];\n";
      if (tensor.producer >= 0) {
        out << "  " << id << "n" << tensor.producer << " -> " << id << "o" << t << ";\n";
      }
    }
  }
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] < 0) continue;
      const mdl_tensor& tensor = graph.tensors[node.inputs[i]];
      if (tensor.data != nullptr) continue;
      out << "  " << id << (tensor.producer >= 0 ? "n" : "t")
          << (tensor.producer >= 0 ? tensor.producer : node.inputs[i]) << " -> " << id << "n" << n
          << " [label=" << quoted(std::string(mdl_dtype_name(tensor.dtype)) + shape_text(tensor))
          << "];\n";
    }
  }
}

}  // namespace

std::string dot_of(const mdl_graph& graph) {
  std::ostringstream out;
  out << "digraph " << quoted(graph.name != nullptr ? graph.name : "") << " {\n"
      << "  node [shape=box, fontname=\"sans-serif\"];\n";
  write_graph(out, graph, "", "");
  out << "}\n";
  return out.str();
}

}  // namespace medulla::tools
