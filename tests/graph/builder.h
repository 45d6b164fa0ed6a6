// SPDX-License-Identifier: Apache-2.0
// Graphs made by hand, and what runs them.
#ifndef MEDULLA_TESTS_GRAPH_BUILDER_H_
#define MEDULLA_TESTS_GRAPH_BUILDER_H_

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "src/api/handles.h"
#include "src/ops/op.h"

namespace medulla::test {

using Dims = std::vector<int64_t>;
using AttributeValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;

// Adds tensors and nodes one by one; a node's output gets the shape that its operator infers.
class GraphBuilder {
 public:
  int32_t input(const std::string& name, const Dims& dims, const Dims& dynamic = {},
                mdl_dtype dtype = MDL_FLOAT32) {
    const int32_t t = add_tensor(name, dtype, dims);
    for (int64_t d : dynamic) tensors_[t].symbols[d] = text("dim" + std::to_string(d));
    tensors_[t].flags |= MDL_TENSOR_INPUT;
    inputs_.push_back(t);
    return t;
  }

  template <class T = float>
  int32_t constant(const std::string& name, const Dims& dims, const std::vector<T>& values,
                   mdl_dtype dtype = MDL_FLOAT32) {
    const int32_t t = add_tensor(name, dtype, dims);
    void* data = std::aligned_alloc(64, (tensors_[t].bytes + 63) / 64 * 64);
    std::memcpy(data, values.data(), tensors_[t].bytes);
    constants_.emplace_back(data, std::free);
    tensors_[t].data = data;
    return t;
  }

  // A node with one output of its first input's dtype.
  int32_t node(const std::string& op, const std::vector<int32_t>& inputs,
               const std::map<std::string, AttributeValue>& attributes = {},
               const std::string& name = "") {
    return split(op, inputs, 1, attributes, name)[0];
  }

  std::vector<int32_t> split(const std::string& op, const std::vector<int32_t>& inputs,
                             size_t outputs,
                             const std::map<std::string, AttributeValue>& attributes = {},
                             const std::string& name = "") {
    const std::string base = name.empty() ? op + std::to_string(nodes_.size()) : name;
    mdl_node n = {};
    n.name = text(base);
    n.op = text(op);
    n.version = 1;
    n.inputs = list(inputs);
    n.input_count = static_cast<uint32_t>(inputs.size());
    add_attributes(attributes, &n);
    std::vector<int32_t> made;
    for (size_t o = 0; o < outputs; ++o) {
      made.push_back(
          add_tensor(base + (o > 0 ? ":" + std::to_string(o) : ""), tensors_[inputs[0]].dtype, {}));
      tensors_[made.back()].producer = static_cast<int32_t>(nodes_.size());
    }
    n.outputs = list(made);
    n.output_count = static_cast<uint32_t>(outputs);
    nodes_.push_back(n);
    infer(n);
    for (int32_t t : inputs) {
      if (t < 0) continue;
      if (tensors_[t].consumer_count++ == 0) tensors_[t].consumer = tensors_[made[0]].producer;
    }
    return made;
  }

  void output(int32_t tensor) {
    tensors_[tensor].flags |= MDL_TENSOR_OUTPUT;
    outputs_.push_back(tensor);
  }

  int32_t state(const std::string& name, const Dims& dims, mdl_state_kind kind = MDL_STATE_REPLACE,
                int32_t axis = 0, const void* initial = nullptr, mdl_dtype dtype = MDL_FLOAT32) {
    const int32_t t = add_tensor(name, dtype, dims);
    tensors_[t].flags |= MDL_TENSOR_STATE;
    if (kind == MDL_STATE_APPEND) tensors_[t].symbols[axis] = text(name + "_length");
    states_.push_back({t, -1, kind, axis, initial});
    return t;
  }

  void write(int32_t state_tensor, int32_t tensor) {
    for (mdl_state& s : states_) {
      if (s.tensor == state_tensor) s.written = tensor;
    }
    tensors_[tensor].flags |= MDL_TENSOR_WRITTEN;
  }

  // Valid until the builder changes.
  const mdl_graph& graph() {
    dense_.assign(tensors_.begin(), tensors_.end());
    graph_ = {"test",          dense_.data(),   nodes_.data(), inputs_.data(),
              outputs_.data(), states_.data(),  dense_.size(), nodes_.size(),
              inputs_.size(),  outputs_.size(), states_.size()};
    return graph_;
  }

  // What the tensor's integers stand for; what inference asks for has to be given before it does.
  int32_t quantized(int32_t tensor, const std::vector<float>& scales,
                    const std::vector<int32_t>& zero_points) {
    const auto& s = floats_.emplace_back(scales);
    const auto& z = zero_points_.emplace_back(zero_points);
    tensors_[tensor].quantization = {s.size(), s.data(), z.data(), 0};
    return tensor;
  }

  // A dynamic dimension of a node's output, which inference does not name.
  void symbol(int32_t tensor, uint32_t dim, const std::string& name) {
    tensors_[tensor].symbols[dim] = text(name);
  }
  const mdl_tensor& tensor(int32_t t) const { return tensors_[t]; }

 private:
  const char* text(const std::string& s) { return texts_.emplace_back(s).c_str(); }
  const int32_t* list(const std::vector<int32_t>& values) {
    return lists_.emplace_back(values).data();
  }

  int32_t add_tensor(const std::string& name, mdl_dtype dtype, const Dims& dims) {
    mdl_tensor t = {};
    t.name = text(name);
    t.dtype = dtype;
    t.producer = -1;
    t.consumer = -1;
    set_dims(&t, dims.data(), static_cast<uint32_t>(dims.size()));
    tensors_.push_back(t);
    return static_cast<int32_t>(tensors_.size()) - 1;
  }

  static void set_dims(mdl_tensor* t, const int64_t* dims, uint32_t rank) {
    t->rank = rank;
    mdl_shape shape = {rank, {}};
    for (uint32_t d = 0; d < rank; ++d) shape.dims[d] = t->dims[d] = dims[d];
    t->bytes = tensor_bytes(t->dtype, shape);
  }

  void add_attributes(const std::map<std::string, AttributeValue>& values, mdl_node* n) {
    std::vector<mdl_attribute>& attributes = attributes_.emplace_back();
    for (const auto& [key, value] : values) {
      mdl_attribute a = {};
      a.name = text(key);
      if (const auto* i = std::get_if<int64_t>(&value)) {
        a.type = MDL_ATTRIBUTE_INT;
        a.i = *i;
      } else if (const auto* f = std::get_if<double>(&value)) {
        a.type = MDL_ATTRIBUTE_FLOAT;
        a.f = *f;
      } else if (const auto* s = std::get_if<std::string>(&value)) {
        a.type = MDL_ATTRIBUTE_STRING;
        a.s = text(*s);
      } else if (const auto* list = std::get_if<std::vector<double>>(&value)) {
        const auto& doubles = doubles_.emplace_back(*list);
        a.type = MDL_ATTRIBUTE_FLOATS;
        a.floats = doubles.data();
        a.count = doubles.size();
      } else {
        const auto& ints = ints_.emplace_back(std::get<std::vector<int64_t>>(value));
        a.type = MDL_ATTRIBUTE_INTS;
        a.ints = ints.data();
        a.count = ints.size();
      }
      attributes.push_back(a);
    }
    n->attributes = attributes.data();
    n->attribute_count = static_cast<uint32_t>(attributes.size());
  }

  void infer(const mdl_node& n) {
    const mdl_graph& g = graph();
    const Op* op = find_op(n.op);
    if (op == nullptr) throw std::runtime_error(std::string("no operator ") + n.op);
    std::vector<TensorType> inputs;
    std::vector<TensorType> outputs(n.output_count);
    for (uint32_t i = 0; i < n.input_count; ++i) {
      inputs.push_back(max_type(n.inputs[i] < 0 ? nullptr : &g.tensors[n.inputs[i]]));
    }
    for (auto& type : outputs) type.dtype = g.tensors[n.outputs[0]].dtype;
    mdl_error error = MDL_ERROR_INIT;
    if (op->infer(NodeView(g, n), inputs, outputs, &error) != MDL_OK) {
      throw std::runtime_error(error.text);
    }
    for (uint32_t o = 0; o < n.output_count; ++o) {
      mdl_tensor& t = tensors_[n.outputs[o]];
      t.dtype = outputs[o].dtype;
      set_dims(&t, outputs[o].shape.dims, outputs[o].shape.rank);
    }
  }

  std::deque<std::string> texts_;
  std::deque<std::vector<int32_t>> lists_;
  std::deque<std::vector<int64_t>> ints_;
  std::deque<std::vector<double>> doubles_;
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<int32_t>> zero_points_;
  std::deque<std::vector<mdl_attribute>> attributes_;
  std::vector<std::unique_ptr<void, void (*)(void*)>> constants_;
  std::deque<mdl_tensor> tensors_;
  std::vector<mdl_tensor> dense_;
  std::vector<mdl_node> nodes_;
  std::vector<int32_t> inputs_;
  std::vector<int32_t> outputs_;
  std::vector<mdl_state> states_;
  mdl_graph graph_ = {};
};

struct ProgramDeleter {
  void operator()(mdl_program* p) const { mdl_program_destroy(p); }
};
struct SessionDeleter {
  void operator()(mdl_session* s) const { mdl_session_destroy(s); }
};
using ProgramHandle = std::unique_ptr<mdl_program, ProgramDeleter>;
using SessionHandle = std::unique_ptr<mdl_session, SessionDeleter>;

// Throw with the error's text on failure.
inline ProgramHandle make_program(const mdl_graph& graph,
                                  const mdl_program_options* options = nullptr,
                                  bool share_memory = true) {
  mdl_program* program = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  if (create_program(graph, nullptr, options, share_memory, &program, &error) != MDL_OK) {
    throw std::runtime_error(error.text);
  }
  return ProgramHandle(program);
}

inline SessionHandle make_session(const mdl_program* program,
                                  const mdl_session_options* options = nullptr) {
  mdl_session* session = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  if (mdl_session_create(program, options, &session, &error) != MDL_OK) {
    throw std::runtime_error(error.text);
  }
  return SessionHandle(session);
}

inline void set_input(mdl_session* session, size_t index, const std::vector<float>& values) {
  mdl_error error = MDL_ERROR_INIT;
  if (mdl_session_set_input(session, index, values.data(), values.size(), &error) != MDL_OK) {
    throw std::runtime_error(error.text);
  }
}

inline std::vector<float> get_output(const mdl_session* session, size_t index) {
  int64_t dims[MDL_MAX_RANK];
  uint32_t rank = 0;
  if (mdl_session_output_shape(session, index, dims, &rank, nullptr) != MDL_OK) return {};
  size_t count = 1;
  for (uint32_t d = 0; d < rank; ++d) count *= static_cast<size_t>(dims[d]);
  std::vector<float> values(count);
  mdl_error error = MDL_ERROR_INIT;
  if (mdl_session_get_output(session, index, values.data(), count, &error) != MDL_OK) {
    throw std::runtime_error(error.text);
  }
  return values;
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_BUILDER_H_
