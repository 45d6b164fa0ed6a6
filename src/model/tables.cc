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
// entries than this. One that lets vectors share their bytes to be large when decoded has.
class Entries {
 public:
  explicit Entries(size_t header_bytes) : left_(header_bytes / 4) {}

  bool take(size_t count) {
    if (count > left_) return false;
    left_ -= count;
    return true;
  }

 private:
  size_t left_;
};

bool count_node(const format::Node& node, Entries* entries, Tables* tables) {
  const uint32_t attributes = size_of(node.attributes());
  if (!entries->take(attributes) || !entries->take(size_of(node.inputs())) ||
      !entries->take(size_of(node.outputs()))) {
    return false;
  }
  tables->attributes.count += attributes;
  for (uint32_t a = 0; a < attributes; ++a) {
    const size_t strings = size_of(node.attributes()->Get(a)->strings());
    if (!entries->take(strings)) return false;
    tables->strings.count += strings;
  }
  return true;
}

// `symbols` counts the names of dimensions.
bool count_graph(const format::Graph& graph, Entries* entries, Tables* tables, size_t* symbols) {
  const uint32_t tensors = size_of(graph.tensors());
  const uint32_t nodes = size_of(graph.nodes());
  const uint32_t states = size_of(graph.states());
  if (!entries->take(tensors) || !entries->take(nodes) || !entries->take(states) ||
      !entries->take(size_of(graph.inputs())) || !entries->take(size_of(graph.outputs()))) {
    return false;
  }
  tables->tensors.count += tensors;
  tables->nodes.count += nodes;
  tables->states.count += states;
  tables->temporary_bytes = std::max(tables->temporary_bytes, tensors * sizeof(const char*));
  for (uint32_t t = 0; t < tensors; ++t) {
    const size_t count = size_of(graph.tensors()->Get(t)->symbols());
    if (!entries->take(count)) return false;
    *symbols += count;
  }
  for (uint32_t n = 0; n < nodes; ++n) {
    if (!count_node(*graph.nodes()->Get(n), entries, tables)) return false;
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
  bool held = entries.take(tables->graphs.count);
  for (uint32_t g = 0; held && g < graphs->size(); ++g) {
    held = count_graph(*graphs->Get(g), &entries, tables, &symbols);
    MDL_TRY(check_limit("nodes", tables->nodes.count, limits.nodes, error));
    MDL_TRY(check_limit("tensors", tables->tensors.count, limits.tensors, error));
  }
  if (!held) {
    return fail(error, MDL_ERROR_BAD_MODEL, "the header's ", header_bytes,
                " bytes cannot hold the entries that its lists count; lists may not share bytes");
  }
  tables->temporary_bytes = std::max(tables->temporary_bytes, symbol_bytes(symbols));
  tables->temporary_bytes = std::max(tables->temporary_bytes, tables->graphs.count);
  return MDL_OK;
}

}  // namespace medulla
