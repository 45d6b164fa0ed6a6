// SPDX-License-Identifier: Apache-2.0
// How large the decoded tables will be.
#include <algorithm>
#include <cstddef>

#include "src/base/text.h"
#include "src/model/loader.h"

namespace medulla {
namespace {

template <class T>
uint64_t part_bytes(const Tables::Part<T>& part) {
  constexpr uint64_t kAlignment = alignof(std::max_align_t);
  return (uint64_t{part.count} * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
}

template <class T>
void place_part(std::byte** at, Tables::Part<T>* part) {
  part->next = reinterpret_cast<T*>(*at);
  *at += static_cast<size_t>(part_bytes(*part));
}

// An entry of a vector takes 4 bytes at least, so a header that holds what it counts has no more
// entries than this. One that lets vectors share their bytes to be large when decoded has. Strings
// may share theirs, as equal ones do, but not so many long ones that reading all takes long.
class Entries {
 public:
  static constexpr uint64_t kUsesOfText = 16;  // of every byte of the header

  explicit Entries(size_t header_bytes)
      : left_(header_bytes / 4), text_left_(kUsesOfText * uint64_t{header_bytes}) {}

  bool take(size_t count) {
    if (count > left_) return false;
    left_ -= count;
    return true;
  }

  template <class Vector>
  bool take_list(const Vector* list) {
    return take(size_of(list));
  }

  bool take_text(const flatbuffers::String* text) {
    const size_t size = text == nullptr ? 0 : text->size();
    if (size > text_left_) return false;
    text_left_ -= size;
    return true;
  }

  bool take_texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* texts) {
    if (!take_list(texts)) return false;
    for (uint32_t t = 0; t < size_of(texts); ++t) {
      if (!take_text(texts->Get(t))) return false;
    }
    return true;
  }

 private:
  size_t left_;
  uint64_t text_left_;
};

bool count_node(const format::Node& node, Entries* entries, Tables* tables) {
  const uint32_t attributes = size_of(node.attributes());
  if (!entries->take(attributes) || !entries->take_list(node.inputs()) ||
      !entries->take_list(node.outputs()) || !entries->take_text(node.name()) ||
      !entries->take_text(node.op())) {
    return false;
  }
  tables->attributes.count += attributes;
  for (uint32_t a = 0; a < attributes; ++a) {
    const format::Attribute& attribute = *node.attributes()->Get(a);
    if (!entries->take_texts(attribute.strings()) || !entries->take_text(attribute.name()) ||
        !entries->take_text(attribute.s())) {
      return false;
    }
    tables->strings.count += size_of(attribute.strings());
  }
  return true;
}

// `symbols` counts the names of dimensions.
bool count_graph(const format::Graph& graph, Entries* entries, Tables* tables, size_t* symbols) {
  const uint32_t tensors = size_of(graph.tensors());
  const uint32_t nodes = size_of(graph.nodes());
  const uint32_t states = size_of(graph.states());
  if (!entries->take(tensors) || !entries->take(nodes) || !entries->take(states) ||
      !entries->take_list(graph.inputs()) || !entries->take_list(graph.outputs()) ||
      !entries->take_text(graph.name())) {
    return false;
  }
  tables->tensors.count += tensors;
  tables->nodes.count += nodes;
  tables->states.count += states;
  tables->temporary_bytes = std::max(tables->temporary_bytes, tensors * sizeof(const char*));
  for (uint32_t t = 0; t < tensors; ++t) {
    const format::Tensor& tensor = *graph.tensors()->Get(t);
    if (!entries->take_text(tensor.name()) || !entries->take_texts(tensor.symbols())) return false;
    *symbols += size_of(tensor.symbols());
  }
  for (uint32_t n = 0; n < nodes; ++n) {
    if (!count_node(*graph.nodes()->Get(n), entries, tables)) return false;
  }
  return true;
}

// What is said of the whole model, which is not decoded into tables.
bool count_metadata(const format::Header& header, Entries* entries) {
  if (!entries->take_text(header.name()) || !entries->take_text(header.producer()) ||
      !entries->take_list(header.metadata()) || !entries->take_list(header.labels()) ||
      !entries->take_list(header.preprocessing())) {
    return false;
  }
  for (uint32_t p = 0; p < size_of(header.metadata()); ++p) {
    const format::KeyValue& pair = *header.metadata()->Get(p);
    if (!entries->take_text(pair.key()) || !entries->take_text(pair.value())) return false;
  }
  for (uint32_t l = 0; l < size_of(header.labels()); ++l) {
    if (!entries->take_texts(header.labels()->Get(l)->names())) return false;
  }
  for (uint32_t p = 0; p < size_of(header.preprocessing()); ++p) {
    const format::Preprocessing& entry = *header.preprocessing()->Get(p);
    if (!entries->take_text(entry.layout()) || !entries->take_list(entry.scale()) ||
        !entries->take_list(entry.offset())) {
      return false;
    }
  }
  return true;
}

mdl_status check_limit(const char* what, size_t count, size_t limit, mdl_error* error) {
  if (count <= limit) return MDL_OK;
  return fail(error, MDL_ERROR_LIMIT, "has ", count, ' ', what, ", the limit is ", limit);
}

}  // namespace

uint64_t Tables::bytes() const {
  return part_bytes(graphs) + part_bytes(tensors) + part_bytes(nodes) + part_bytes(attributes) +
         part_bytes(states) + part_bytes(strings);
}

void Tables::place(std::byte* memory) {
  place_part(&memory, &graphs);
  place_part(&memory, &tensors);
  place_part(&memory, &nodes);
  place_part(&memory, &attributes);
  place_part(&memory, &states);
  place_part(&memory, &strings);
}

mdl_status count_tables(const format::Header& header, size_t header_bytes, const Limits& limits,
                        Tables* tables, mdl_error* error) {
  const auto* graphs = header.graphs();
  tables->graphs.count = size_of(graphs);
  if (tables->graphs.count == 0) {
    return fail(error, MDL_ERROR_BAD_MODEL, "has no graph, should have a main graph at least");
  }
  Entries entries(header_bytes);
  size_t symbols = 0;
  bool held = entries.take(tables->graphs.count) && count_metadata(header, &entries);
  for (uint32_t g = 0; held && g < graphs->size(); ++g) {
    held = count_graph(*graphs->Get(g), &entries, tables, &symbols);
    MDL_TRY(check_limit("nodes", tables->nodes.count, limits.nodes, error));
    MDL_TRY(check_limit("tensors", tables->tensors.count, limits.tensors, error));
  }
  if (!held) {
    return fail(error, MDL_ERROR_BAD_MODEL, "the header's ", header_bytes,
                " bytes cannot hold the entries that its lists count, or its strings are used more "
                "than ",
                Entries::kUsesOfText,
                " times; lists may not share bytes, long strings only so far");
  }
  tables->temporary_bytes = std::max(tables->temporary_bytes, symbol_bytes(symbols));
  tables->temporary_bytes = std::max(tables->temporary_bytes, tables->graphs.count);
  return MDL_OK;
}

}  // namespace medulla
