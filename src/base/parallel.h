// SPDX-License-Identifier: Apache-2.0
// The threads that a session's steps may use: the caller's alone, the host's pool, or our own.
#ifndef MEDULLA_SRC_BASE_PARALLEL_H_
#define MEDULLA_SRC_BASE_PARALLEL_H_

#include <cstddef>
#include <cstdint>

#include "medulla/medulla.h"

struct pthreadpool;

namespace medulla {

class Parallel {
 public:
  using Task = void (*)(void* argument, size_t index);

  // pool = null: `threads` of our own, none when it is 0 or 1. NOT_BUILT when there is no thread
  // library to make them with.
  mdl_status open(uint32_t threads, const mdl_thread_pool* pool, mdl_error* error);
  void close();

  // How many tasks may run at once, the calling thread included; known before open.
  static size_t threads(uint32_t threads, const mdl_thread_pool* pool);

  // Calls task(argument, i) once for each i below count, and returns when all have returned. After
  // the `last` call of a run no thread spins; rest() ends a run that stops before it.
  void run(Task task, void* argument, size_t count, bool last);
  void rest();

 private:
  mdl_thread_pool host_ = {};
  pthreadpool* own_ = nullptr;
  bool awake_ = false;  // our threads wait for work, and spin
};

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_PARALLEL_H_
