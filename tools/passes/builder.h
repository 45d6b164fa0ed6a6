// SPDX-License-Identifier: Apache-2.0
// Appends nodes to a graph whose every tensor has a known type. What is made of constants alone is
// executed at once and becomes a constant; DequantizeLinear is not, for its integers are what
// form_integer_nodes looks for.
#ifndef MEDULLA_TOOLS_PASSES_BUILDER_H_
#define MEDULLA_TOOLS_PASSES_BUILDER_H_

#include <stdexcept>
#include <string>
#include <vector>

#include "tools/ir/graph.h"

namespace medulla::tools {

using Attributes = std::map<std::string, Attribute>;
using Dims = std::vector<int64_t>;

// A node that cannot be built, with the reason in words.
struct BuildError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  // What new nodes and tensors are named after.
  void set_name(std::string name) { name_ = std::move(name); }
  const std::string& name() const { return name_; }

  // Appends a node with one output and returns that. Throws BuildError.
  int32_t add(const std::string& op, std::vector<int32_t> inputs, Attributes attributes = {});
  // The same; `type` gives what inference does not decide: dtype and quantization.
  int32_t add_typed(const std::string& op, std::vector<int32_t> inputs, Attributes attributes,
                    mdl_dtype dtype, std::optional<Quantization> quantization = {});
  // The same with the dtype and quantization of input 0: for what moves elements.
  int32_t add_like(const std::string& op, std::vector<int32_t> inputs, Attributes attributes);
  // The tensors joined along an axis; more than a node takes, in several.
  int32_t concat(std::vector<int32_t> parts, int64_t axis);
  // Appends a node whose output i exists where wanted[i].
  std::vector<int32_t> add_many(const std::string& op, std::vector<int32_t> inputs,
                                Attributes attributes, const std::vector<bool>& wanted);
  // Appends a complete node: infers its outputs, executes it when it can. False: it was executed.
  bool append(Node node);

  // Transpose and Reshape that add nothing where nothing would change. In the shape of a tensor
  // with symbols 0 copies an extent.
  int32_t transpose(int32_t tensor, const Dims& perm);
  int32_t reshape(int32_t tensor, const Dims& shape);
  // A constant float32 scalar, or one of another type.
  int32_t scalar(float value) { return constant<float>(MDL_FLOAT32, {}, {value}); }
  template <class T>
  int32_t constant(mdl_dtype dtype, Dims dims, const std::vector<T>& values) {
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    Tensor tensor;
    tensor.name = name_ + ".constant";
    tensor.dtype = dtype;
    tensor.dims = std::move(dims);
    tensor.data = std::make_shared<const Bytes>(first, first + values.size() * sizeof(T));
    return add_tensor(std::move(tensor));
  }
  // Without a look at its name: passes make names unique at their end.
  int32_t add_tensor(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(graph_.tensors.size()) - 1;
  }

  Graph& graph() { return graph_; }
  // Throws BuildError for -1, an input that should not be left out.
  const Tensor& tensor(int32_t id) const {
    if (id < 0) throw BuildError("an input that is needed is left out");
    return graph_.tensors.at(static_cast<size_t>(id));
  }
  const Dims& dims(int32_t id) const { return tensor(id).dims; }
  int64_t rank(int32_t id) const { return static_cast<int64_t>(dims(id).size()); }
  // No dimension has a symbol.
  bool is_static(int32_t id) const;

 private:
  int32_t add_beside(const char* suffix, const std::string& op, std::vector<int32_t> inputs,
                     Attributes attributes, std::optional<Quantization> quantization);

  Graph& graph_;
  std::string name_;
};

// The elements of a constant.
template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  const size_t count = tensor.elements();
  if (tensor.data == nullptr || tensor.data->size() / sizeof(T) < count) {
    throw BuildError("'" + tensor.name + "' is no constant of this dtype");
  }
  const T* first = reinterpret_cast<const T*>(tensor.data->data());
  return {first, first + count};
}

// perm of NCHW -> NHWC and of NHWC -> NCHW, for any rank of at least 3.
Dims to_channels_last_perm(size_t rank);
Dims to_channels_first_perm(size_t rank);
Dims invert(const Dims& perm);
bool is_identity(const Dims& perm);
// out[i] = values[perm[i]]: the extents of a transposed tensor.
template <class T>
std::vector<T> permuted(const std::vector<T>& values, const Dims& perm) {
  std::vector<T> out;
  for (const int64_t p : perm) out.push_back(values.at(static_cast<size_t>(p)));
  return out;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_BUILDER_H_
