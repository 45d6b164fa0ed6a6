// SPDX-License-Identifier: Apache-2.0
// How a model's bytes become verified tables. The steps, in the order in which open_model takes
// them; each relies on those before it. What refuses names what it found and what would be right,
// and leaves it to the caller to put the file's name before it.
#ifndef MEDULLA_SRC_MODEL_LOADER_H_
#define MEDULLA_SRC_MODEL_LOADER_H_

#include <span>

#include "medulla/backend.h"
#include "medulla_generated.h"
#include "src/base/text.h"
#include "src/model/preamble.h"
#include "src/model/text.h"

namespace medulla {

using Bytes = std::span<const uint8_t>;

struct Limits {
  uint64_t file_bytes;
  uint64_t tensor_bytes;
  uint32_t nodes;
  uint32_t tensors;
  uint32_t rank;
};

// frame.cc: the preamble, the digests, FlatBuffers' own rules, where the buffers lie.
// What the bytes are a model of that the converter takes, by how they begin; or null.
const char* source_format(Bytes file);
mdl_status check_preamble(Bytes file, const Limits& limits, Preamble* preamble, mdl_error* error);
mdl_status check_header_digest(Bytes file, const Preamble& preamble, mdl_error* error);
mdl_status find_header(Bytes file, const Preamble& preamble, const format::Header** header,
                       mdl_error* error);
mdl_status check_buffers(const format::Header& header, const Preamble& preamble, mdl_error* error);
// Reads every byte of the weights, and of what lies between them, which has to be zero.
mdl_status check_weights_digest(Bytes file, const format::Header& header, const Preamble& preamble,
                                mdl_error* error);

// Where the tables of all graphs go. Counted first, then filled from the front.
struct Tables {
  template <class T>
  struct Part {
    T* next = nullptr;
    size_t count = 0;

    T* take(size_t n) {
      T* taken = next;
      next += n;
      return taken;
    }
  };

  Part<mdl_graph> graphs;
  Part<mdl_tensor> tensors;
  Part<mdl_node> nodes;
  Part<mdl_attribute> attributes;
  Part<mdl_state> states;
  Part<const char*> strings;
  size_t temporary_bytes = 0;  // that check_names and check_symbols need

  // The size of one piece of memory for all parts; place() gives each its place in it.
  uint64_t bytes() const;
  void place(std::byte* memory);
};

// tables.cc
mdl_status count_tables(const format::Header& header, size_t header_bytes, const Limits& limits,
                        Tables* tables, mdl_error* error);

// What decoding a graph needs to know.
struct GraphContext {
  Bytes file;
  const format::Header* header;
  const format::Graph* from;
  size_t index;       // of the graph
  mdl_graph* graphs;  // all of them
  const Limits* limits;
  Tables* tables;

  const mdl_graph& graph() const { return graphs[index]; }
};

// graph.cc: fills graphs[context.index] and proves every rule on it, but those of the operators.
mdl_status decode_graph(const GraphContext& context, mdl_error* error);
// Those, when all graphs are there: a node's rules may ask for its bodies.
mdl_status check_nodes(const mdl_graph& graph, mdl_error* error);
// A body belongs to one attribute, and stands in at most so many others; `depth` is room for a
// byte a graph.
constexpr int kMaxBodyDepth = 4;
mdl_status check_bodies(std::span<const mdl_graph> graphs, uint8_t* depth, mdl_error* error);
mdl_status decode_tensor(const GraphContext& context, uint32_t index, mdl_tensor* tensor,
                         mdl_error* error);  // tensor.cc
mdl_status decode_node(const GraphContext& context, uint32_t index, mdl_node* node,
                       mdl_error* error);  // node.cc
// state.cc: first before the nodes are known, then behind them.
mdl_status decode_states(const GraphContext& context, mdl_tensor* tensors, mdl_state* states,
                         mdl_error* error);
mdl_status check_states(const mdl_graph& graph, mdl_tensor* tensors, mdl_error* error);

// The data of the buffer of that number (1 + index) in a table; null for 0. Its size has to be that
// of `tensor`, of which it is the `what`.
mdl_status find_buffer(const GraphContext& context, uint32_t number, const mdl_tensor& tensor,
                       const char* what, const void** data, mdl_error* error);

// Whether a FlatBuffers vector can be read in place: its elements' alignment is not among the rules
// of FlatBuffers' verifier.
template <class T>
bool is_aligned(const flatbuffers::Vector<T>* vector) {
  // FlatBuffers does not align a list without elements.
  return vector == nullptr || vector->size() == 0 ||
         reinterpret_cast<uintptr_t>(vector->Data()) % sizeof(T) == 0;
}

template <class Vector>
uint32_t size_of(const Vector* vector) {
  return vector == nullptr ? 0 : vector->size();
}

inline const char* text_or_empty(const flatbuffers::String* text) {
  return text == nullptr ? "" : text->c_str();
}

// names.cc: `memory` has temporary_bytes.
mdl_status check_names(const mdl_graph& graph, void* memory, mdl_error* error);
mdl_status check_symbols(std::span<const mdl_graph> graphs, void* memory, mdl_error* error);
size_t symbol_bytes(size_t symbols);

// Refuses what is not text; null is no text and fine.
template <class... Where>
mdl_status check_text(const flatbuffers::String* text, mdl_error* error, const Where&... where) {
  if (text == nullptr || is_text(text->c_str(), text->size())) return MDL_OK;
  return fail(error, MDL_ERROR_BAD_MODEL, where..., " is no text: should be UTF-8 without zeros");
}

// metadata.cc: name, producer, pairs, labels, preprocessing.
mdl_status check_metadata(const format::Header& header, const mdl_graph& main, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_LOADER_H_
