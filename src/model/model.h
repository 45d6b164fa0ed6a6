// SPDX-License-Identifier: Apache-2.0
// A verified model. Past this folder nothing doubts a value in it.
#ifndef MEDULLA_SRC_MODEL_MODEL_H_
#define MEDULLA_SRC_MODEL_MODEL_H_

#include <span>

#include "medulla/backend.h"
#include "src/base/arena.h"
#include "src/base/checked.h"
#include "src/base/file.h"

namespace medulla::format {
struct Header;
}

struct mdl_model {
  mdl_model(const mdl_allocator& from, mdl_block block) : allocator(from), arena(from, block) {}

  // Bytes of the block's start that the object itself takes.
  static size_t head() { return medulla::align_up(sizeof(mdl_model), MDL_ALIGNMENT); }

  const mdl_allocator allocator;
  bool from_allocator = false;  // the object, not what is in the arena
  bool locked = false;
  medulla::Arena arena;
  medulla::FileMap map;  // empty: the bytes are the caller's
  std::span<const uint8_t> bytes;
  const uint8_t* digest = nullptr;
  const medulla::format::Header* header = nullptr;
  std::span<const mdl_graph> graphs;
};

namespace medulla {

// The main graph; it and all it points at live as long as the model.
inline const mdl_graph& model_graph(const mdl_model& model) { return model.graphs[0]; }

// As the functions of the API, with options that were read. check_digests = false opens a file
// whose digests do not fit: for tests and fuzzers, which change bytes.
mdl_status open_model_file(const char* path, const mdl_model_options& options, bool check_digests,
                           mdl_model** model, mdl_error* error);
mdl_status open_model_memory(std::span<const uint8_t> bytes, const mdl_model_options& options,
                             bool check_digests, mdl_model** model, mdl_error* error);
void close_model(mdl_model* model);

// The size of the block that the model needs; allocates nothing.
mdl_status model_memory_need(std::span<const uint8_t> bytes, const mdl_model_options& options,
                             size_t* need, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_MODEL_H_
