// SPDX-License-Identifier: Apache-2.0
// The converter's own, mutable form of a model. Importers fill it, passes rewrite it, the writer
// makes a file of it. What operators, attributes and dtypes mean is as in src/ops and medulla.fbs.
#ifndef MEDULLA_TOOLS_IR_GRAPH_H_
#define MEDULLA_TOOLS_IR_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "medulla/backend.h"

namespace medulla::tools {

using Bytes = std::vector<std::byte>;

struct Quantization {
  std::vector<float> scales;
  std::vector<int32_t> zero_points;
  int32_t axis = 0;

  bool operator==(const Quantization&) const = default;
};

struct Tensor {
  std::string name;
  mdl_dtype dtype = MDL_DTYPE_NONE;
  std::vector<int64_t> dims;         // a dynamic dimension's declared maximum
  std::vector<std::string> symbols;  // empty, or one a dimension: "" is static
  std::optional<Quantization> quantization;
  std::shared_ptr<const Bytes> data;  // null: not a constant
  bool shape_known = true;            // false until shapes were inferred

  size_t elements() const;
};

// Index into Model::graphs.
struct GraphIndex {
  uint32_t index = 0;
  bool operator==(const GraphIndex&) const = default;
};

using Attribute = std::variant<int64_t, double, std::string, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>, GraphIndex>;

struct Node {
  std::string name;
  std::string op;
  uint32_t version = 1;
  std::map<std::string, Attribute> attributes;
  std::vector<int32_t> inputs;   // indices into Graph::tensors; -1: left out
  std::vector<int32_t> outputs;  // the same

  template <class T>
  T get(const std::string& key, T otherwise) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? otherwise : std::get<T>(found->second);
  }
};

struct State {
  int32_t tensor = -1;
  int32_t written = -1;
  mdl_state_kind kind = MDL_STATE_REPLACE;
  int32_t axis = 0;
  std::shared_ptr<const Bytes> initial;  // null: zeros
};

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  // in execution order
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::vector<State> states;

  // Appends a tensor and returns its index; a name that is taken gets a suffix.
  int32_t add_tensor(Tensor tensor);
  // A constant of rank dims.size() from `values`.
  template <class T>
  int32_t add_constant(std::string name, mdl_dtype dtype, std::vector<int64_t> dims,
                       const std::vector<T>& values);
  // The node that makes a tensor, or -1; O(nodes).
  int32_t producer(int32_t tensor) const;
  // Every node that reads a tensor; O(nodes).
  std::vector<int32_t> consumers(int32_t tensor) const;
  bool is_output(int32_t tensor) const;
  bool is_constant(int32_t tensor) const {
    return tensors[static_cast<size_t>(tensor)].data != nullptr;
  }
  // Every reader of `from` (nodes, graph outputs, states) reads `to` instead.
  void replace_uses(int32_t from, int32_t to);
  // Drops nodes and tensors that no output and no state needs, renumbers, keeps the order.
  void compact();
};

struct Labels {
  uint32_t output = 0;
  std::vector<std::string> names;
};

struct Preprocessing {
  uint32_t input = 0;
  std::string layout;
  std::vector<float> scale;
  std::vector<float> offset;
};

struct Model {
  std::string name;
  std::string producer;
  std::map<std::string, std::string> metadata;
  std::vector<Graph> graphs;  // [0] is the main graph
  std::vector<Labels> labels;
  std::vector<Preprocessing> preprocessing;

  // Drops bodies whose node is gone; keeps the order, so that a body stands behind its node's
  // graph.
  void drop_unused_graphs();

  Graph& main() { return graphs.front(); }
  const Graph& main() const { return graphs.front(); }
};

template <class T>
int32_t Graph::add_constant(std::string tensor_name, mdl_dtype dtype, std::vector<int64_t> dims,
                            const std::vector<T>& values) {
  const auto* first = reinterpret_cast<const std::byte*>(values.data());
  Tensor tensor;
  tensor.name = std::move(tensor_name);
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  tensor.data = std::make_shared<const Bytes>(first, first + values.size() * sizeof(T));
  return add_tensor(std::move(tensor));
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IR_GRAPH_H_
