// SPDX-License-Identifier: Apache-2.0
// What an operator is: its attributes, its checks, its shape inference, and a short reference that
// is its spec. One file an operator, src/ops/<stem>.cc, which defines `const Op op_<Name>`; ops.inc
// lists them. Image tensors are channels-last: [N, spatial..., C].
#ifndef MEDULLA_SRC_OPS_OP_H_
#define MEDULLA_SRC_OPS_OP_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "medulla/backend.h"
#include "src/base/text.h"

namespace medulla {

struct TensorType {
  mdl_dtype dtype = MDL_DTYPE_NONE;
  mdl_shape shape = {};

  int64_t dim(uint32_t d) const { return shape.dims[d]; }
  uint32_t rank() const { return shape.rank; }
  int64_t elements() const;  // of a verified tensor: does not overflow
};

// A tensor's shape with its dynamic dimensions at their maxima.
mdl_shape max_shape(const mdl_tensor& tensor);
// Dtype and that; null: left out.
TensorType max_type(const mdl_tensor* tensor);

// A node with the graph it stands in.
class NodeView {
 public:
  NodeView(const mdl_graph& graph, const mdl_node& node) : graph_(&graph), node_(&node) {}

  const char* name() const { return node_->name; }
  const char* op() const { return node_->op; }
  size_t input_count() const { return node_->input_count; }
  size_t output_count() const { return node_->output_count; }
  // Null when it is left out, or behind the last one.
  const mdl_tensor* input(size_t i) const;
  const mdl_tensor* output(size_t i) const;

  // Null when the node does not have it. The types were checked against Op.attributes.
  const mdl_attribute* attribute(const char* name) const;
  int64_t int_or(const char* name, int64_t otherwise) const;
  double float_or(const char* name, double otherwise) const;
  const char* string_or(const char* name, const char* otherwise) const;
  std::span<const int64_t> ints(const char* name) const;  // empty when absent
  std::span<const double> floats(const char* name) const;

  const mdl_graph& graph() const { return *graph_; }
  const mdl_node& node() const { return *node_; }

 private:
  const mdl_graph* graph_;
  const mdl_node* node_;
};

// Starts every message about a node: "node 'conv1' (Conv): " and the parts.
template <class... Parts>
mdl_status fail_node(mdl_error* error, mdl_status status, const NodeView& node,
                     const Parts&... parts) {
  return fail(error, status, "node '", node.name(), "' (", node.op(), "): ", parts...);
}

struct AttributeRule {
  const char* name;
  mdl_attribute_type type;
  bool required = false;
  // The versions of the operator that have it.
  uint32_t first_version = 1;
  uint32_t last_version = UINT32_MAX;
};

// What a reference is given: dense tensors, channels-last, in the arrays' order of the node.
struct ReferenceCall {
  NodeView node;
  std::span<const TensorType> input_types;  // dtype NONE: left out
  std::span<const TensorType> output_types;
  std::span<const void* const> inputs;  // null: left out
  std::span<void* const> outputs;       // null: left out
  void* scratch;
  // Of each output, when the operator has `found`: comes as in output_types, and the reference sets
  // the extents that it found.
  std::span<mdl_shape> found = {};

  template <class T>
  const T* in(size_t i) const {
    return i < inputs.size() ? static_cast<const T*>(inputs[i]) : nullptr;
  }
  template <class T>
  T* out(size_t i) const {
    return i < outputs.size() ? static_cast<T*>(outputs[i]) : nullptr;
  }
};

struct Op {
  // The operator's name in files, and its newest version; older ones are taken too.
  const char* name;
  uint32_t version = 1;
  uint32_t min_inputs = 1;
  uint32_t max_inputs = 1;
  uint32_t min_outputs = 1;
  uint32_t max_outputs = 1;
  std::span<const AttributeRule> attributes = {};

  // Every rule on dtypes, ranks, dimensions and attribute values, then the outputs' types. Called
  // on a file that may be hostile: must not overflow, must not read constants' data past
  // mdl_tensor.bytes. `inputs` hold current shapes (dtype NONE: left out). `outputs` come with the
  // file's dtypes and must be set, dtype and shape: a file whose declared types differ is refused
  // by the caller. Also called when a session is resized: allocates nothing.
  mdl_status (*infer)(const NodeView& node, std::span<const TensorType> inputs,
                      std::span<TensorType> outputs, mdl_error* error);

  // What is checked once and does not depend on shapes at run time: constants' values, stored
  // multipliers recomputed bit for bit. Optional.
  mdl_status (*check)(const NodeView& node, mdl_error* error) = nullptr;

  // The spec. Inputs were checked; never fails but for what only values can tell (an index out of
  // range). Null for an operator that only moves a name: see `view`.
  mdl_status (*reference)(const ReferenceCall& call, mdl_error* error) = nullptr;

  // Bytes of scratch that the reference needs; null: none.
  size_t (*scratch)(const NodeView& node, std::span<const TensorType> inputs,
                    std::span<const TensorType> outputs) = nullptr;

  // Multiply-accumulates; null: none.
  uint64_t (*macs)(const NodeView& node, std::span<const TensorType> inputs,
                   std::span<const TensorType> outputs) = nullptr;

  // Which dimensions of an output, as bits, get their extents from values while the node runs: up
  // to those that `infer` gives, none included. The file has to give each a symbol. Null: none.
  uint32_t (*found)(const NodeView& node, size_t output) = nullptr;

  // Runs graphs that are its attributes: the core does that itself, there is no reference.
  bool control = false;

  // Output 0 has the bytes of input 0, under another shape (Reshape, Flatten, Squeeze, ...): the
  // plan gives both one place. The reference copies.
  bool view = false;
  // Bit i: output 0 may be written over input i, when both have one size, while the reference runs.
  uint32_t in_place = 0;
};

// The operator of that name, or null when it is not built in (MDL_ERROR_NOT_BUILT) or not known.
const Op* find_op(const char* name);
// All that are built in, in the order of ops.inc.
std::span<const Op* const> all_ops();
// Whether Medulla knows an operator of that name, built in or not.
bool is_known_op(const char* name);

// Whether values decide extents of one of the node's outputs: see Op::found.
bool finds_extents(const NodeView& node);

// Checks one node by the operator's rules: counts, attribute names and types, infer, check;
// compares the outputs' declared dtypes and dims with the inferred ones. Used by the loader, with
// the declared maxima as shapes.
mdl_status check_node(const NodeView& node, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_OP_H_
