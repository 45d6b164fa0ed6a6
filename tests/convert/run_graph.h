// SPDX-License-Identifier: Apache-2.0
// Executes a graph of the converter by the operators' references.
#ifndef MEDULLA_TESTS_CONVERT_RUN_GRAPH_H_
#define MEDULLA_TESTS_CONVERT_RUN_GRAPH_H_

#include <algorithm>
#include <random>
#include <stdexcept>

#include "tools/passes/builder.h"
#include "tools/passes/frame.h"

namespace medulla::tools {

using Floats = std::vector<float>;

inline std::shared_ptr<const Bytes> as_bytes(const Floats& values) {
  const auto* first = reinterpret_cast<const std::byte*>(values.data());
  return std::make_shared<const Bytes>(first, first + values.size() * sizeof(float));
}

inline Floats random_floats(size_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> distribution(-2.0f, 2.0f);
  Floats values(count);
  for (float& v : values) v = distribution(engine);
  return values;
}

// Inputs and outputs in the graph's order, as bytes.
inline std::vector<Bytes> run_graph(Graph graph,
                                    const std::vector<std::shared_ptr<const Bytes>>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    graph.tensors[static_cast<size_t>(graph.inputs[i])].data = inputs[i];
  }
  for (const Node& node : graph.nodes) {
    const std::string why = run_node(graph, node);
    if (!why.empty()) throw std::runtime_error(why);
  }
  std::vector<Bytes> outputs;
  for (const int32_t t : graph.outputs) {
    outputs.push_back(*graph.tensors[static_cast<size_t>(t)].data);
  }
  return outputs;
}

inline Floats to_floats(const Bytes& bytes) {
  const auto* first = reinterpret_cast<const float*>(bytes.data());
  return {first, first + bytes.size() / sizeof(float)};
}

// A graph under construction with one float32 input, by operators.
struct TestGraph {
  explicit TestGraph(Dims dims) : build(graph) {
    Tensor tensor;
    tensor.name = "x";
    tensor.dtype = MDL_FLOAT32;
    tensor.dims = std::move(dims);
    x = build.add_tensor(std::move(tensor));
    graph.inputs = {x};
  }

  int32_t constant(Dims dims, uint32_t seed) {
    size_t count = 1;
    for (const int64_t d : dims) count *= static_cast<size_t>(d);
    return build.constant(MDL_FLOAT32, std::move(dims), random_floats(count, seed));
  }
  // Appends a node named after its number.
  int32_t add(const std::string& op, std::vector<int32_t> inputs, Attributes attributes = {}) {
    build.set_name(op + std::to_string(graph.nodes.size()));
    return build.add(op, std::move(inputs), std::move(attributes));
  }
  int32_t transpose(int32_t t, const Dims& perm) {
    build.set_name("Transpose" + std::to_string(graph.nodes.size()));
    return build.transpose(t, perm);
  }
  // The image operator as an importer writes it, on NCHW.
  int32_t image(const std::string& op, std::vector<int32_t> inputs, Attributes attributes = {}) {
    const size_t rank = build.dims(inputs[0]).size();
    inputs[0] = transpose(inputs[0], to_channels_last_perm(rank));
    return transpose(add(op, std::move(inputs), std::move(attributes)),
                     to_channels_first_perm(rank));
  }
  Graph& finish(const std::vector<int32_t>& outputs) {
    graph.outputs = outputs;
    for (size_t o = 0; o < outputs.size(); ++o) {
      graph.tensors[static_cast<size_t>(outputs[o])].name = "y" + std::to_string(o);
    }
    return graph;
  }

  Graph graph;
  Builder build;
  int32_t x = -1;
};

inline size_t count_of(const Graph& graph, const std::string& op) {
  return static_cast<size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                           [&](const Node& node) { return node.op == op; }));
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_RUN_GRAPH_H_
