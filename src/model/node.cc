// SPDX-License-Identifier: Apache-2.0
// Nodes: names, operands, attributes. What they mean is check_node's matter.
#include "src/model/loader.h"

namespace medulla {
namespace {

template <class... Parts>
mdl_status fail_node(mdl_error* error, const mdl_node& node, const Parts&... parts) {
  return fail(error, MDL_ERROR_BAD_MODEL, "node '", node.name, "' (", node.op, "): ", parts...);
}

mdl_status check_indices(const mdl_node& node, const char* what, const int32_t* list,
                         uint32_t count, size_t tensors, mdl_error* error) {
  for (uint32_t i = 0; i < count; ++i) {
    if (list[i] >= -1 && (list[i] < 0 || static_cast<size_t>(list[i]) < tensors)) continue;
    return fail_node(error, node, what, ' ', i, " is tensor ", list[i], ", should be from -1 to ",
                     static_cast<int64_t>(tensors) - 1);
  }
  return MDL_OK;
}

// Which of the fields of an attribute are there, as bits of mdl_attribute_type.
uint32_t fields_of(const format::Attribute& from) {
  return (from.i() != 0 ? 1u << MDL_ATTRIBUTE_INT : 0) |
         (from.f() != 0 ? 1u << MDL_ATTRIBUTE_FLOAT : 0) |
         (from.s() != nullptr ? 1u << MDL_ATTRIBUTE_STRING : 0) |
         (from.ints() != nullptr ? 1u << MDL_ATTRIBUTE_INTS : 0) |
         (from.floats() != nullptr ? 1u << MDL_ATTRIBUTE_FLOATS : 0) |
         (from.strings() != nullptr ? 1u << MDL_ATTRIBUTE_STRINGS : 0);
}

mdl_status decode_strings(const format::Attribute& from, const GraphContext& context,
                          const mdl_node& node, mdl_attribute* attribute, mdl_error* error) {
  const uint32_t count = size_of(from.strings());
  const char** list = context.tables->strings.take(count);
  for (uint32_t i = 0; i < count; ++i) {
    MDL_TRY(check_text(from.strings()->Get(i), error, "node '", node.name, "': attribute '",
                       attribute->name, "': string ", i));
    list[i] = from.strings()->Get(i)->c_str();
  }
  attribute->strings = list;
  attribute->count = count;
  return MDL_OK;
}

mdl_status decode_attribute(const format::Attribute& from, const GraphContext& context,
                            const mdl_node& node, mdl_attribute* attribute, mdl_error* error) {
  MDL_TRY(check_text(from.name(), error, "node '", node.name, "': an attribute's name"));
  *attribute = {};
  attribute->name = from.name()->c_str();
  const int type = static_cast<int>(from.type());
  if (type > MDL_ATTRIBUTE_GRAPH) {
    return fail_node(error, node, "attribute '", attribute->name, "' has type ", type,
                     ", should be from 0 to ", static_cast<int>(MDL_ATTRIBUTE_GRAPH));
  }
  attribute->type = static_cast<mdl_attribute_type>(type);
  const int field = type == MDL_ATTRIBUTE_GRAPH ? MDL_ATTRIBUTE_INT : type;
  if ((fields_of(from) & ~(1u << field)) != 0) {
    return fail_node(error, node, "attribute '", attribute->name,
                     "' holds values of more than its own type");
  }
  if (!is_aligned(from.ints()) || !is_aligned(from.floats())) {
    return fail_node(error, node, "attribute '", attribute->name, "' is not aligned to ",
                     sizeof(int64_t));
  }
  switch (attribute->type) {
    case MDL_ATTRIBUTE_INT:
      attribute->i = from.i();
      break;
    case MDL_ATTRIBUTE_FLOAT:
      attribute->f = from.f();
      break;
    case MDL_ATTRIBUTE_STRING:
      if (from.s() == nullptr) {
        return fail_node(error, node, "attribute '", attribute->name, "' holds no string");
      }
      MDL_TRY(
          check_text(from.s(), error, "node '", node.name, "': attribute '", attribute->name, "'"));
      attribute->s = from.s()->c_str();
      break;
    case MDL_ATTRIBUTE_INTS:
      attribute->count = size_of(from.ints());
      if (attribute->count > 0) attribute->ints = from.ints()->data();
      break;
    case MDL_ATTRIBUTE_FLOATS:
      attribute->count = size_of(from.floats());
      if (attribute->count > 0) attribute->floats = from.floats()->data();
      break;
    case MDL_ATTRIBUTE_STRINGS:
      return decode_strings(from, context, node, attribute, error);
    case MDL_ATTRIBUTE_GRAPH: {
      // Bodies stand behind the graphs that use them, so none can contain itself.
      const size_t graphs = context.tables->graphs.count;
      if (from.i() <= static_cast<int64_t>(context.index) ||
          from.i() >= static_cast<int64_t>(graphs)) {
        return fail_node(error, node, "attribute '", attribute->name, "' is graph ", from.i(),
                         ", should be above the node's own, ", context.index, ", and below ",
                         graphs);
      }
      attribute->graph = &context.graphs[from.i()];
      break;
    }
  }
  return MDL_OK;
}

}  // namespace

mdl_status decode_node(const GraphContext& context, uint32_t index, mdl_node* node,
                       mdl_error* error) {
  const format::Node& from = *context.from->nodes()->Get(index);
  MDL_TRY(check_text(from.name(), error, "node ", index, ": its name"));
  MDL_TRY(check_text(from.op(), error, "node '", from.name()->c_str(), "': its operator"));
  *node = {};
  node->name = from.name()->c_str();
  node->op = from.op()->c_str();
  node->version = from.version();
  node->input_count = size_of(from.inputs());
  node->output_count = size_of(from.outputs());
  if (node->input_count > 0) node->inputs = from.inputs()->data();
  if (node->output_count > 0) node->outputs = from.outputs()->data();
  const size_t tensors = context.graph().tensor_count;
  MDL_TRY(check_indices(*node, "input", node->inputs, node->input_count, tensors, error));
  MDL_TRY(check_indices(*node, "output", node->outputs, node->output_count, tensors, error));
  node->attribute_count = size_of(from.attributes());
  mdl_attribute* attributes = context.tables->attributes.take(node->attribute_count);
  node->attributes = attributes;
  for (uint32_t a = 0; a < node->attribute_count; ++a) {
    MDL_TRY(decode_attribute(*from.attributes()->Get(a), context, *node, &attributes[a], error));
  }
  return MDL_OK;
}

}  // namespace medulla
