// SPDX-License-Identifier: Apache-2.0
// Model files made by hand, in a few lines.
#ifndef MEDULLA_TESTS_MODEL_BUILDER_H_
#define MEDULLA_TESTS_MODEL_BUILDER_H_

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/ir/graph.h"
#include "tools/ir/infer.h"
#include "tools/ir/writer.h"

namespace medulla::test {

// A copy of bytes that is aligned as a model in memory has to be, and that ends where its memory
// ends, so that a sanitizer sees every read behind it.
class AlignedBytes {
 public:
  AlignedBytes(const void* data, size_t size)
      : memory_(::operator new (size, std::align_val_t{MDL_ALIGNMENT})), size_(size) {
    if (size > 0) std::memcpy(memory_.get(), data, size);
  }
  explicit AlignedBytes(const tools::Bytes& bytes) : AlignedBytes(bytes.data(), bytes.size()) {}

  uint8_t* data() const { return static_cast<uint8_t*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  struct Release {
    void operator()(void* memory) const {
      ::operator delete (memory, std::align_val_t{MDL_ALIGNMENT});
    }
  };
  std::unique_ptr<void, Release> memory_;
  size_t size_;
};

// Builds the main graph of a model; a node's outputs get the shapes that its operator infers.
//   ModelBuilder b;
//   b.output(b.node("Relu", {b.input("x", {1, 4})}, "y"));
//   AlignedBytes bytes = b.bytes();
class ModelBuilder {
 public:
  using Attributes = std::map<std::string, tools::Attribute>;

  ModelBuilder() { model.graphs.resize(1); }

  // A name in `symbols` makes its dimension dynamic, with what stands in `dims` as maximum.
  int32_t input(const std::string& name, std::vector<int64_t> dims, mdl_dtype dtype = MDL_FLOAT32,
                std::vector<std::string> symbols = {}) {
    const int32_t t = tensor(name, std::move(dims), dtype, std::move(symbols));
    graph().inputs.push_back(t);
    return t;
  }

  int32_t constant(const std::string& name, std::vector<int64_t> dims,
                   const std::vector<float>& values) {
    return graph().add_constant(name, MDL_FLOAT32, std::move(dims), values);
  }

  // Its output; the node's name is the output's.
  int32_t node(const std::string& op, std::vector<int32_t> inputs, const std::string& output,
               Attributes attributes = {}, uint32_t version = 1) {
    return nodes(op, std::move(inputs), {output}, std::move(attributes), version)[0];
  }
  std::vector<int32_t> nodes(const std::string& op, std::vector<int32_t> inputs,
                             const std::vector<std::string>& outputs, Attributes attributes = {},
                             uint32_t version = 1) {
    tools::Node node;
    node.name = outputs[0];
    node.op = op;
    node.version = version;
    node.attributes = std::move(attributes);
    node.inputs = std::move(inputs);
    const mdl_dtype dtype =
        node.inputs.empty() ? MDL_FLOAT32 : graph().tensors.at(index(node.inputs[0])).dtype;
    for (const std::string& name : outputs) node.outputs.push_back(tensor(name, {}, dtype));
    return add(node);
  }
  // QuantizeLinear to int8, zero point 0.
  int32_t quantized(int32_t input, const std::string& output, float scale) {
    tools::Node node;
    node.name = output;
    node.op = "QuantizeLinear";
    node.inputs = {input};
    node.outputs = {tensor(output, {}, MDL_INT8)};
    at(node.outputs[0]).quantization = tools::Quantization{{scale}, {0}, 0};
    return add(node)[0];
  }

  void output(int32_t tensor) { graph().outputs.push_back(tensor); }

  // A tensor that lives from run to run; `state.written` is to be set once it is made.
  int32_t state(const std::string& name, std::vector<int64_t> dims,
                mdl_state_kind kind = MDL_STATE_REPLACE, int32_t axis = 0,
                std::vector<std::string> symbols = {}) {
    tools::State state;
    state.tensor = tensor(name, std::move(dims), MDL_FLOAT32, std::move(symbols));
    state.kind = kind;
    state.axis = axis;
    graph().states.push_back(state);
    return state.tensor;
  }

  AlignedBytes bytes() {
    tools::infer_shapes(graph());
    return AlignedBytes(tools::model_bytes(model));
  }

  tools::Graph& graph() { return model.main(); }
  tools::Tensor& at(int32_t tensor) { return graph().tensors.at(index(tensor)); }

  tools::Model model;

 private:
  static size_t index(int32_t i) { return static_cast<size_t>(i); }

  std::vector<int32_t> add(const tools::Node& node) {
    graph().nodes.push_back(node);
    tools::infer_node(graph(), graph().nodes.back());
    return node.outputs;
  }

  int32_t tensor(const std::string& name, std::vector<int64_t> dims, mdl_dtype dtype,
                 std::vector<std::string> symbols = {}) {
    tools::Tensor tensor;
    tensor.name = name;
    tensor.dtype = dtype;
    tensor.dims = std::move(dims);
    tensor.symbols = std::move(symbols);
    return graph().add_tensor(std::move(tensor));
  }
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_MODEL_BUILDER_H_
