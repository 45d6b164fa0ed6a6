// SPDX-License-Identifier: Apache-2.0
// What the API's opaque handles of programs and sessions are.
#ifndef MEDULLA_SRC_API_HANDLES_H_
#define MEDULLA_SRC_API_HANDLES_H_

#include "src/base/arena.h"
#include "src/base/checked.h"
#include "src/graph/program.h"
#include "src/graph/session.h"

struct mdl_program {
  mdl_program(const mdl_allocator& from, mdl_block block) : allocator(from), arena(from, block) {}

  // Bytes of the block's start that the handle itself takes.
  static size_t head();

  const mdl_allocator allocator;
  bool from_allocator = false;  // the handle, not what is in the arena
  medulla::Arena arena;
  medulla::Program program = {};
};

struct mdl_session {
  mdl_allocator allocator;
  bool from_allocator;
  size_t bytes;  // of the handle and the session, which stands behind it

  static size_t head();
  medulla::Session& session() {
    return *reinterpret_cast<medulla::Session*>(reinterpret_cast<std::byte*>(this) + head());
  }
  const medulla::Session& session() const {
    return *reinterpret_cast<const medulla::Session*>(reinterpret_cast<const std::byte*>(this) +
                                                      head());
  }
};

inline size_t mdl_program::head() { return medulla::align_up(sizeof(mdl_program), MDL_ALIGNMENT); }
inline size_t mdl_session::head() { return medulla::align_up(sizeof(mdl_session), MDL_ALIGNMENT); }

namespace medulla {

// The bytes of a session's block; LIMIT when there cannot be so many.
mdl_status session_need(const Program& program, const SessionOptions& options, size_t* bytes,
                        mdl_error* error);

// As the functions of the API, for any graph; `digest` is 32 bytes, or null for zeros.
mdl_status create_program(const mdl_graph& graph, const uint8_t* digest,
                          const mdl_program_options* options, bool share_memory,
                          mdl_program** program, mdl_error* error);
mdl_status program_memory_need(const mdl_graph& graph, const mdl_program_options* options,
                               bool share_memory, mdl_memory_need* need, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_API_HANDLES_H_
