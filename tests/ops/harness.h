// SPDX-License-Identifier: Apache-2.0
// Runs one operator as a loader and the reference backend would: check_node, infer, reference.
#ifndef MEDULLA_TESTS_OPS_HARNESS_H_
#define MEDULLA_TESTS_OPS_HARNESS_H_

#include <cstring>
#include <deque>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/ops/op.h"
#include "tests/kernels/util.h"

namespace medulla::test {

// A tensor with its values.
struct Value {
  mdl_dtype dtype = MDL_DTYPE_NONE;  // NONE: left out
  std::vector<int64_t> dims;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;
  std::vector<int32_t> zero_points;
  int32_t axis = 0;
  bool constant = false;

  template <class T>
  std::vector<T> as() const {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }
  Value quantized(float scale, int32_t zero_point) const {
    Value value = *this;
    value.scales = {scale};
    value.zero_points = {zero_point};
    return value;
  }
  Value as_constant() const {
    Value value = *this;
    value.constant = true;
    return value;
  }
};

template <class T>
constexpr mdl_dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return MDL_FLOAT32;
  if constexpr (std::is_same_v<T, double>) return MDL_FLOAT64;
  if constexpr (std::is_same_v<T, int8_t>) return MDL_INT8;
  if constexpr (std::is_same_v<T, uint8_t>) return MDL_UINT8;
  if constexpr (std::is_same_v<T, int16_t>) return MDL_INT16;
  if constexpr (std::is_same_v<T, uint16_t>) return MDL_UINT16;
  if constexpr (std::is_same_v<T, int32_t>) return MDL_INT32;
  if constexpr (std::is_same_v<T, uint32_t>) return MDL_UINT32;
  if constexpr (std::is_same_v<T, int64_t>) return MDL_INT64;
  if constexpr (std::is_same_v<T, uint64_t>) return MDL_UINT64;
}

inline int64_t count_of(const std::vector<int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

template <class T>
Value tensor(std::vector<int64_t> dims, const std::vector<T>& values) {
  Value value;
  value.dtype = dtype_of<T>();
  value.dims = std::move(dims);
  value.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(value.bytes.data(), values.data(), value.bytes.size());
  return value;
}
// An output's declaration, where the operator leaves its dtype to the file.
inline Value declared(mdl_dtype dtype) {
  Value value;
  value.dtype = dtype;
  return value;
}
// 0, 1, 2, ...
template <class T>
Value counted(std::vector<int64_t> dims) {
  std::vector<T> values(static_cast<size_t>(count_of(dims)));
  std::iota(values.begin(), values.end(), T{});
  return tensor(std::move(dims), values);
}
inline Value random_floats(Random& random, std::vector<int64_t> dims, float low = -1,
                           float high = 1) {
  std::vector<float> values(static_cast<size_t>(count_of(dims)));
  random.fill(std::span(values), low, high);
  return tensor(std::move(dims), values);
}

struct Result {
  mdl_status status = MDL_OK;
  std::string text;
  std::vector<Value> outputs;

  bool says(const std::string& part) const { return text.find(part) != std::string::npos; }
  template <class T = float>
  std::vector<T> values(size_t o = 0) const {
    return outputs.at(o).as<T>();
  }
  const std::vector<int64_t>& dims(size_t o = 0) const { return outputs.at(o).dims; }
};

// One node and its graph. Outputs are declared as they are inferred; Case("Concat").input(a).
// input(b).set("axis", 1).run().
class Case {
 public:
  explicit Case(const char* op, uint32_t version = 1) : op_(op), version_(version) {}

  Case& input(Value value) {
    inputs_.push_back(std::move(value));
    return *this;
  }
  Case& no_input() { return input({}); }
  // Without a call there is one output. Its dtype, unless the operator leaves it to the file, and
  // dims come from infer.
  Case& output(Value value = {}) {
    outputs_.push_back(std::move(value));
    left_out_.push_back(false);
    return *this;
  }
  Case& no_output() {
    outputs_.push_back({});
    left_out_.push_back(true);
    return *this;
  }

  template <std::integral T>
  Case& set(const char* name, T value) {
    add(name, MDL_ATTRIBUTE_INT).i = static_cast<int64_t>(value);
    return *this;
  }
  template <std::floating_point T>
  Case& set(const char* name, T value) {
    add(name, MDL_ATTRIBUTE_FLOAT).f = static_cast<double>(value);
    return *this;
  }
  Case& set(const char* name, const char* value) {
    add(name, MDL_ATTRIBUTE_STRING).s = value;
    return *this;
  }
  Case& set(const char* name, const std::vector<int64_t>& values) {
    mdl_attribute& a = add(name, MDL_ATTRIBUTE_INTS);
    a.ints = ints_.emplace_back(values).data();
    a.count = values.size();
    return *this;
  }
  Case& set(const char* name, const std::vector<double>& values) {
    mdl_attribute& a = add(name, MDL_ATTRIBUTE_FLOATS);
    a.floats = floats_.emplace_back(values).data();
    a.count = values.size();
    return *this;
  }
  Case& set(const char* name, const std::vector<const char*>& values) {
    mdl_attribute& a = add(name, MDL_ATTRIBUTE_STRINGS);
    a.strings = strings_.emplace_back(values).data();
    a.count = values.size();
    return *this;
  }

  Result run() { return run(true); }
  // All but the reference: outputs have dims and no bytes.
  Result infer() { return run(false); }

  uint64_t macs() const { return macs_; }  // of the last run

 private:
  mdl_attribute& add(const char* name, mdl_attribute_type type) {
    mdl_attribute attribute = {};
    attribute.name = name;
    attribute.type = type;
    return attributes_.emplace_back(attribute);
  }

  static mdl_tensor declare(const char* name, const Value& value) {
    mdl_tensor tensor = {};
    tensor.name = name;
    tensor.dtype = value.dtype;
    tensor.rank = static_cast<uint32_t>(value.dims.size());
    std::copy(value.dims.begin(), value.dims.end(), tensor.dims);
    tensor.quantization = {value.scales.size(), value.scales.data(), value.zero_points.data(),
                           value.axis};
    tensor.bytes = value.bytes.size();
    tensor.data = value.constant ? value.bytes.data() : nullptr;
    tensor.producer = tensor.consumer = -1;
    return tensor;
  }
  static TensorType type(const mdl_tensor& tensor) {
    TensorType t{.dtype = tensor.dtype, .shape = {.rank = tensor.rank, .dims = {}}};
    std::copy(tensor.dims, tensor.dims + tensor.rank, t.shape.dims);
    return t;
  }

  Result run(bool values) {
    Result result;
    mdl_error error = MDL_ERROR_INIT;
    result.status = run(values, &result, &error);
    result.text = error.text;
    return result;
  }

  mdl_status run(bool values, Result* result, mdl_error* error) {
    if (outputs_.empty()) output();
    std::vector<mdl_tensor> tensors;
    std::vector<int32_t> inputs;
    std::vector<int32_t> outputs;
    std::deque<std::string> names;
    const auto place = [&](std::vector<int32_t>& list, const char* letter, const Value& value,
                           bool left_out) {
      list.push_back(left_out ? -1 : static_cast<int32_t>(tensors.size()));
      names.push_back(letter + std::to_string(list.size() - 1));
      if (!left_out) tensors.push_back(declare(names.back().c_str(), value));
    };
    for (const Value& v : inputs_) place(inputs, "x", v, v.dtype == MDL_DTYPE_NONE);
    for (size_t o = 0; o < outputs_.size(); ++o) place(outputs, "y", outputs_[o], left_out_[o]);

    mdl_node node = {};
    node.name = "n";
    node.op = op_;
    node.version = version_;
    node.attribute_count = static_cast<uint32_t>(attributes_.size());
    const std::vector<mdl_attribute> attributes(attributes_.begin(), attributes_.end());
    node.attributes = attributes.data();
    node.input_count = static_cast<uint32_t>(inputs.size());
    node.inputs = inputs.data();
    node.output_count = static_cast<uint32_t>(outputs.size());
    node.outputs = outputs.data();
    mdl_graph graph = {};
    graph.name = "g";
    graph.tensors = tensors.data();
    graph.tensor_count = tensors.size();
    graph.nodes = &node;
    graph.node_count = 1;
    const NodeView view(graph, node);

    const Op* op = find_op(op_);
    if (op == nullptr) return check_node(view, error);
    std::vector<TensorType> in(inputs.size());
    std::vector<TensorType> out(outputs.size());
    for (size_t i = 0; i < in.size(); ++i) {
      if (view.input(i) != nullptr) in[i] = type(*view.input(i));
    }
    for (size_t o = 0; o < out.size(); ++o) {
      if (view.output(o) != nullptr) out[o] = type(*view.output(o));
    }
    // check_node refuses what infer may not be given; what it says of the outputs comes later.
    if (mdl_error first = MDL_ERROR_INIT; check_node(view, &first) == MDL_ERROR_BAD_MODEL) {
      return check_node(view, error);
    }
    MDL_TRY(op->infer(view, in, out, error));
    for (size_t o = 0; o < out.size(); ++o) {
      if (outputs[o] < 0) continue;
      mdl_tensor& tensor = tensors[static_cast<size_t>(outputs[o])];
      tensor.dtype = out[o].dtype;
      tensor.rank = out[o].rank();
      std::copy(out[o].shape.dims, out[o].shape.dims + tensor.rank, tensor.dims);
      const uint32_t found = op->found != nullptr ? op->found(view, o) : 0;
      for (uint32_t d = 0; d < tensor.rank; ++d) {
        if ((found >> d & 1) != 0) tensor.symbols[d] = "found";
      }
    }
    MDL_TRY(check_node(view, error));

    macs_ = op->macs != nullptr ? op->macs(view, in, out) : 0;
    result->outputs = outputs_;
    for (size_t o = 0; o < out.size(); ++o) {
      Value& v = result->outputs[o];
      v.dtype = out[o].dtype;
      v.dims.assign(out[o].shape.dims, out[o].shape.dims + out[o].rank());
    }
    if (!values) return MDL_OK;
    std::vector<uint8_t> scratch(op->scratch != nullptr ? op->scratch(view, in, out) : 0);
    std::vector<const void*> in_data;
    std::vector<void*> out_data;
    // A tensor without elements has a place too.
    static uint8_t nothing;
    for (const Value& v : inputs_) {
      const void* data = v.bytes.empty() ? &nothing : v.bytes.data();
      in_data.push_back(v.dtype == 0 ? nullptr : data);
    }
    for (size_t o = 0; o < out.size(); ++o) {
      Value& v = result->outputs[o];
      const size_t bits = static_cast<size_t>(out[o].elements()) * mdl_dtype_bits(v.dtype);
      v.bytes.assign((bits + 7) / 8, 0xAA);
      void* data = v.bytes.empty() ? &nothing : v.bytes.data();
      out_data.push_back(outputs[o] < 0 ? nullptr : data);
    }
    std::vector<mdl_shape> found(out.size());
    for (size_t o = 0; o < out.size(); ++o) found[o] = out[o].shape;
    {
      const RunState state;
      MDL_TRY(op->reference({view, in, out, in_data, out_data, scratch.data(), found}, error));
    }
    for (size_t o = 0; op->found != nullptr && o < out.size(); ++o) {
      Value& v = result->outputs[o];
      v.dims.assign(found[o].dims, found[o].dims + found[o].rank);
      const size_t bytes = static_cast<size_t>(count_of(v.dims)) * mdl_dtype_bits(v.dtype) / 8;
      REQUIRE(bytes <= v.bytes.size());
      v.bytes.resize(bytes);
    }
    return MDL_OK;
  }

  const char* op_;
  uint32_t version_;
  std::vector<Value> inputs_;
  std::vector<Value> outputs_;
  std::vector<bool> left_out_;
  std::deque<mdl_attribute> attributes_;
  std::deque<std::vector<int64_t>> ints_;
  std::deque<std::vector<double>> floats_;
  std::deque<std::vector<const char*>> strings_;
  uint64_t macs_ = 0;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_OPS_HARNESS_H_
