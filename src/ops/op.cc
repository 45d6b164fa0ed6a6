// SPDX-License-Identifier: Apache-2.0
#include "src/ops/op.h"

#include <algorithm>
#include <cstring>

namespace medulla {
namespace {

constexpr uint32_t kMaxArguments = 256;

const char* type_name(mdl_attribute_type type) {
  constexpr const char* kNames[] = {"int", "float", "string", "ints", "floats", "strings", "graph"};
  return kNames[type];
}

bool is_of(const AttributeRule& rule, const NodeView& node) {
  const uint32_t version = node.node().version;
  return rule.first_version <= version && version <= rule.last_version;
}

mdl_status check_attributes(const NodeView& node, const Op& op, mdl_error* error) {
  for (uint32_t a = 0; a < node.node().attribute_count; ++a) {
    const mdl_attribute& attribute = node.node().attributes[a];
    const AttributeRule* rule = nullptr;
    for (const AttributeRule& r : op.attributes) {
      if (is_of(r, node) && std::strcmp(r.name, attribute.name) == 0) rule = &r;
    }
    if (rule == nullptr) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "attribute '", attribute.name,
                       "' is not one of version ", node.node().version);
    }
    if (rule->type != attribute.type) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "attribute '", attribute.name,
                       "' has type ", type_name(attribute.type), ", should be ",
                       type_name(rule->type));
    }
    if (node.attribute(attribute.name) != &attribute) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "attribute '", attribute.name,
                       "' stands twice");
    }
  }
  for (const AttributeRule& rule : op.attributes) {
    if (rule.required && is_of(rule, node) && node.attribute(rule.name) == nullptr) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "attribute '", rule.name, "' is missing");
    }
  }
  return MDL_OK;
}

mdl_status check_count(const NodeView& node, const char* what, size_t count, uint32_t min,
                       uint32_t max, mdl_error* error) {
  if (count >= min && count <= max && count <= kMaxArguments) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "has ", count, ' ', what, ", should have ",
                   min, " to ", max < kMaxArguments ? max : kMaxArguments);
}

}  // namespace

int64_t TensorType::elements() const {
  int64_t count = 1;
  for (uint32_t d = 0; d < shape.rank; ++d) count *= shape.dims[d];
  return count;
}

mdl_shape max_shape(const mdl_tensor& tensor) {
  mdl_shape shape = {tensor.rank, {}};
  std::copy_n(tensor.dims, tensor.rank, shape.dims);
  return shape;
}

TensorType max_type(const mdl_tensor* tensor) {
  if (tensor == nullptr) return {};
  return {tensor->dtype, max_shape(*tensor)};
}

const mdl_tensor* NodeView::input(size_t i) const {
  if (i >= node_->input_count || node_->inputs[i] < 0) return nullptr;
  return &graph_->tensors[node_->inputs[i]];
}

const mdl_tensor* NodeView::output(size_t i) const {
  if (i >= node_->output_count || node_->outputs[i] < 0) return nullptr;
  return &graph_->tensors[node_->outputs[i]];
}

const mdl_attribute* NodeView::attribute(const char* name) const {
  for (uint32_t a = 0; a < node_->attribute_count; ++a) {
    if (std::strcmp(node_->attributes[a].name, name) == 0) return &node_->attributes[a];
  }
  return nullptr;
}

int64_t NodeView::int_or(const char* name, int64_t otherwise) const {
  const mdl_attribute* a = attribute(name);
  return a != nullptr ? a->i : otherwise;
}

double NodeView::float_or(const char* name, double otherwise) const {
  const mdl_attribute* a = attribute(name);
  return a != nullptr ? a->f : otherwise;
}

const char* NodeView::string_or(const char* name, const char* otherwise) const {
  const mdl_attribute* a = attribute(name);
  return a != nullptr ? a->s : otherwise;
}

std::span<const int64_t> NodeView::ints(const char* name) const {
  const mdl_attribute* a = attribute(name);
  return a != nullptr ? std::span(a->ints, a->count) : std::span<const int64_t>();
}

std::span<const double> NodeView::floats(const char* name) const {
  const mdl_attribute* a = attribute(name);
  return a != nullptr ? std::span(a->floats, a->count) : std::span<const double>();
}

bool finds_extents(const NodeView& node) {
  const Op* op = find_op(node.op());
  if (op == nullptr || op->found == nullptr) return false;
  for (size_t o = 0; o < node.output_count(); ++o) {
    if (node.output(o) != nullptr && op->found(node, o) != 0) return true;
  }
  return false;
}

mdl_status check_node(const NodeView& node, mdl_error* error) {
  const Op* op = find_op(node.op());
  if (op == nullptr) {
    return fail_node(error, is_known_op(node.op()) ? MDL_ERROR_NOT_BUILT : MDL_ERROR_UNSUPPORTED,
                     node,
                     is_known_op(node.op()) ? "this build leaves the operator out (MEDULLA_OPS)"
                                            : "no operator of this name is known");
  }
  const uint32_t version = node.node().version;
  if (version == 0 || version > op->version) {
    return fail_node(error, MDL_ERROR_VERSION, node, "operator version ", version,
                     " is not known; this build has 1 to ", op->version);
  }
  MDL_TRY(check_count(node, "inputs", node.input_count(), op->min_inputs, op->max_inputs, error));
  MDL_TRY(
      check_count(node, "outputs", node.output_count(), op->min_outputs, op->max_outputs, error));
  for (size_t i = 0; i < op->min_inputs; ++i) {
    if (node.input(i) == nullptr) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "input ", i, " is left out but required");
    }
  }
  if (op->max_outputs == 1 && node.output(0) == nullptr) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "its only output is left out");
  }
  MDL_TRY(check_attributes(node, *op, error));

  TensorType inputs[kMaxArguments];
  TensorType outputs[kMaxArguments];
  for (size_t i = 0; i < node.input_count(); ++i) inputs[i] = max_type(node.input(i));
  for (size_t o = 0; o < node.output_count(); ++o) outputs[o] = max_type(node.output(o));
  MDL_TRY(op->infer(node, {inputs, node.input_count()}, {outputs, node.output_count()}, error));
  for (size_t o = 0; o < node.output_count(); ++o) {
    const mdl_tensor* tensor = node.output(o);
    if (tensor == nullptr) continue;
    const TensorType declared = max_type(tensor);
    if (declared.dtype != outputs[o].dtype) {
      return fail_node(error, MDL_ERROR_DTYPE, node, "output '", tensor->name, "' is declared ",
                       mdl_dtype_name(declared.dtype), ", the operator gives ",
                       mdl_dtype_name(outputs[o].dtype));
    }
    if (declared.rank() != outputs[o].rank() ||
        std::memcmp(declared.shape.dims, outputs[o].shape.dims,
                    declared.rank() * sizeof(int64_t)) != 0) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "output '", tensor->name, "' is declared ",
                       declared.shape, ", the operator gives ", outputs[o].shape);
    }
    const uint32_t found = op->found != nullptr ? op->found(node, o) : 0;
    for (uint32_t d = 0; d < tensor->rank; ++d) {
      if ((found >> d & 1) == 0 || tensor->symbols[d] != nullptr) continue;
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "output '", tensor->name, "': dimension ",
                       d, " is found at run time, should have a symbol");
    }
  }
  return op->check != nullptr ? op->check(node, error) : MDL_OK;
}

}  // namespace medulla
