// SPDX-License-Identifier: Apache-2.0
// A graph: who makes each tensor, in which order, and each node by its operator's rules.
#include <algorithm>

#include "src/model/loader.h"
#include "src/ops/op.h"

namespace medulla {
namespace {

constexpr uint32_t kMadeOutside = MDL_TENSOR_INPUT | MDL_TENSOR_STATE;

const char* describe(const mdl_tensor& tensor) {
  if (tensor.data != nullptr) return "a constant";
  if ((tensor.flags & MDL_TENSOR_INPUT) != 0) return "an input";
  if ((tensor.flags & MDL_TENSOR_STATE) != 0) return "a state";
  if (tensor.producer >= 0) return "made by another node";
  return "made by nothing";
}

mdl_status check_index(const char* what, uint32_t i, int32_t t, size_t tensors, mdl_error* error) {
  if (t >= 0 && static_cast<size_t>(t) < tensors) return MDL_OK;
  return fail(error, MDL_ERROR_BAD_MODEL, what, ' ', i, " is tensor ", t, ", should be from 0 to ",
              static_cast<int64_t>(tensors) - 1);
}

mdl_status mark_inputs(const mdl_graph& graph, mdl_tensor* tensors, mdl_error* error) {
  for (uint32_t i = 0; i < graph.input_count; ++i) {
    MDL_TRY(check_index("input", i, graph.inputs[i], graph.tensor_count, error));
    mdl_tensor& tensor = tensors[graph.inputs[i]];
    if (tensor.data != nullptr || tensor.flags != 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "input ", i, " ('", tensor.name, "') is also ",
                  describe(tensor));
    }
    tensor.flags |= MDL_TENSOR_INPUT;
  }
  return MDL_OK;
}

// Nodes come in order of execution: each reads what is there before the run or what a node before
// it makes. So no cycle can be, and what a node makes is made by no other.
mdl_status link_node(const mdl_node& node, int32_t index, mdl_tensor* tensors, mdl_error* error) {
  for (uint32_t i = 0; i < node.input_count; ++i) {
    if (node.inputs[i] < 0) continue;
    mdl_tensor& tensor = tensors[node.inputs[i]];
    if (tensor.data == nullptr && (tensor.flags & kMadeOutside) == 0 && tensor.producer < 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "node '", node.name, "' (", node.op, "): input ", i,
                  " ('", tensor.name,
                  "') should be a constant, an input, a state or made by a node before this one");
    }
    if (tensor.consumer_count++ == 0) tensor.consumer = index;
  }
  for (uint32_t o = 0; o < node.output_count; ++o) {
    if (node.outputs[o] < 0) continue;
    mdl_tensor& tensor = tensors[node.outputs[o]];
    if (tensor.data != nullptr || tensor.flags != 0 || tensor.producer >= 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "node '", node.name, "' (", node.op, "): output ", o,
                  " ('", tensor.name, "') is also ", describe(tensor), "; one node should make it");
    }
    tensor.producer = index;
  }
  return MDL_OK;
}

// Outputs have memory of their own.
mdl_status mark_outputs(const mdl_graph& graph, bool is_main, mdl_tensor* tensors,
                        mdl_error* error) {
  if (graph.output_count == 0) {
    return fail(error, MDL_ERROR_BAD_MODEL,
                is_main ? "the main graph has no output" : "has no output");
  }
  for (uint32_t o = 0; o < graph.output_count; ++o) {
    MDL_TRY(check_index("output", o, graph.outputs[o], graph.tensor_count, error));
    mdl_tensor& tensor = tensors[graph.outputs[o]];
    if (tensor.producer < 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "output ", o, " ('", tensor.name, "') is ",
                  describe(tensor), ", should be made by a node, such as an Identity");
    }
    if ((tensor.flags & MDL_TENSOR_OUTPUT) != 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "output ", o, " ('", tensor.name,
                  "') is also another output");
    }
    tensor.flags |= MDL_TENSOR_OUTPUT;
  }
  return MDL_OK;
}

mdl_status check_made(const mdl_graph& graph, mdl_error* error) {
  for (size_t t = 0; t < graph.tensor_count; ++t) {
    const mdl_tensor& tensor = graph.tensors[t];
    if (tensor.data == nullptr && tensor.producer < 0 && (tensor.flags & kMadeOutside) == 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "tensor '", tensor.name,
                  "': is no constant, no input, no state, and no node makes it");
    }
  }
  return MDL_OK;
}

}  // namespace

mdl_status check_nodes(const mdl_graph& graph, mdl_error* error) {
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_status status = check_node(NodeView(graph, graph.nodes[n]), error);
    // In a file, a shape or a dtype that does not fit is a broken rule like any other.
    if (status == MDL_ERROR_SHAPE || status == MDL_ERROR_DTYPE) {
      error->status = MDL_ERROR_BAD_MODEL;
      return MDL_ERROR_BAD_MODEL;
    }
    MDL_TRY(status);
  }
  return MDL_OK;
}

mdl_status decode_graph(const GraphContext& context, mdl_error* error) {
  const format::Graph& from = *context.from;
  Tables& tables = *context.tables;
  mdl_graph& graph = context.graphs[context.index];
  const bool is_main = context.index == 0;
  MDL_TRY(check_text(from.name(), error, "its name"));
  graph.name = text_or_empty(from.name());
  graph.tensor_count = size_of(from.tensors());
  graph.node_count = size_of(from.nodes());
  graph.input_count = size_of(from.inputs());
  graph.output_count = size_of(from.outputs());
  graph.state_count = size_of(from.states());
  if (graph.input_count > 0) graph.inputs = from.inputs()->data();
  if (graph.output_count > 0) graph.outputs = from.outputs()->data();
  mdl_tensor* tensors = tables.tensors.take(graph.tensor_count);
  mdl_node* nodes = tables.nodes.take(graph.node_count);
  mdl_state* states = tables.states.take(graph.state_count);
  graph.tensors = tensors;
  graph.nodes = nodes;
  graph.states = states;

  for (uint32_t t = 0; t < graph.tensor_count; ++t) {
    MDL_TRY(decode_tensor(context, t, &tensors[t], error));
  }
  MDL_TRY(mark_inputs(graph, tensors, error));
  MDL_TRY(decode_states(context, tensors, states, error));
  for (uint32_t n = 0; n < graph.node_count; ++n) {
    MDL_TRY(decode_node(context, n, &nodes[n], error));
    MDL_TRY(link_node(nodes[n], static_cast<int32_t>(n), tensors, error));
  }
  MDL_TRY(mark_outputs(graph, is_main, tensors, error));
  MDL_TRY(check_states(graph, tensors, error));
  return check_made(graph, error);
}

// Bodies stand behind the graphs that use them, so one pass from the front finds how deep each is.
mdl_status check_bodies(std::span<const mdl_graph> graphs, uint8_t* depth, mdl_error* error) {
  std::fill_n(depth, graphs.size(), uint8_t{0});
  for (size_t g = 0; g < graphs.size(); ++g) {
    for (size_t n = 0; n < graphs[g].node_count; ++n) {
      const mdl_node& node = graphs[g].nodes[n];
      for (uint32_t a = 0; a < node.attribute_count; ++a) {
        if (node.attributes[a].type != MDL_ATTRIBUTE_GRAPH) continue;
        const size_t body = static_cast<size_t>(node.attributes[a].graph - graphs.data());
        if (depth[body] != 0) {
          return fail(error, MDL_ERROR_BAD_MODEL, "graph ", body, " ('", graphs[body].name,
                      "') is the body of more than one attribute, should be of one");
        }
        depth[body] = static_cast<uint8_t>(depth[g] + 1);
        if (depth[body] > kMaxBodyDepth) {
          return fail(error, MDL_ERROR_LIMIT, "node '", node.name, "' (", node.op,
                      "): its body stands in ", depth[g], " others, the limit is ",
                      kMaxBodyDepth - 1);
        }
      }
    }
  }
  return MDL_OK;
}

}  // namespace medulla
