// SPDX-License-Identifier: Apache-2.0
// Models whose nodes run graphs.
#ifndef MEDULLA_TESTS_GRAPH_BODIES_H_
#define MEDULLA_TESTS_GRAPH_BODIES_H_

#include <string>
#include <vector>

#include "tests/graph/running.h"

namespace medulla::test {

inline int64_t add_body(ModelBuilder& to, ModelBuilder& body) {
  tools::infer_shapes(body.graph());
  to.model.graphs.push_back(body.graph());
  return static_cast<int64_t>(to.model.graphs.size()) - 1;
}

inline tools::GraphIndex index(int64_t graph) { return {static_cast<uint32_t>(graph)}; }

// Makes the node's outputs, of the types given; a symbol of "" is none.
struct Made {
  std::string name;
  Dims dims;
  std::vector<std::string> symbols = {};
  mdl_dtype dtype = MDL_FLOAT32;
};
inline std::vector<int32_t> control(ModelBuilder& b, const std::string& op,
                                    std::vector<int32_t> inputs, const std::vector<Made>& outputs,
                                    ModelBuilder::Attributes attributes) {
  tools::Node node = {outputs[0].name, op, 1, std::move(attributes), std::move(inputs), {}};
  for (const Made& made : outputs) {
    tools::Tensor tensor;
    tensor.name = made.name;
    tensor.dtype = made.dtype;
    tensor.dims = made.dims;
    tensor.symbols = made.symbols;
    node.outputs.push_back(b.graph().add_tensor(std::move(tensor)));
    b.output(node.outputs.back());
  }
  b.graph().nodes.push_back(node);
  return node.outputs;
}

// x + 2^depth: as many loops in one another, each of two iterations.
inline ModelBuilder nested_loops(int depth) {
  ModelBuilder b;
  b.input("x", {2});
  for (int level = 0; level <= depth; ++level) {
    ModelBuilder body;
    if (level > 0) {
      body.input("i", {}, MDL_INT64);
      body.input("go", {}, MDL_BOOL);
      body.input("x", {2});
    }
    ModelBuilder& at = level == 0 ? b : body;
    const int32_t x = at.graph().inputs.back();
    if (level < depth) {
      control(at, "Loop", {-1, -1, x}, {{"y", {2}}},
              {{"body", index(level + 1)}, {"carried", int64_t{1}}, {"limit", int64_t{2}}});
    } else {
      at.output(at.node("Add", {x, at.constant("one", {2}, {1, 1})}, "y"));
    }
    if (level > 0) add_body(b, body);
  }
  return b;
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_BODIES_H_
