// SPDX-License-Identifier: Apache-2.0
#include "src/base/parallel.h"

#include "src/base/text.h"

#if MEDULLA_THREADS
#include <pthreadpool.h>
#endif

namespace medulla {

size_t Parallel::threads(uint32_t threads, const mdl_thread_pool* pool) {
  const size_t count = pool != nullptr ? pool->threads : threads;
  return count > 1 ? count : 1;
}

mdl_status Parallel::open(uint32_t threads, const mdl_thread_pool* pool, mdl_error* error) {
  if (pool != nullptr) {
    host_ = *pool;
    return MDL_OK;
  }
  if (threads <= 1) return MDL_OK;
#if MEDULLA_THREADS
  own_ = pthreadpool_create(threads);
  if (own_ == nullptr) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for a pool of ", threads, " threads");
  }
  return MDL_OK;
#else
  return fail(error, MDL_ERROR_NOT_BUILT, threads,
              " threads asked for, and this build has no "
              "thread library (MEDULLA_THREADS); hand in a pool");
#endif
}

void Parallel::close() {
#if MEDULLA_THREADS
  pthreadpool_destroy(own_);
#endif
  own_ = nullptr;
}

void Parallel::run(Task task, void* argument, size_t count, [[maybe_unused]] bool last) {
  if (host_.run != nullptr) {
    host_.run(host_.context, task, argument, count);
    return;
  }
#if MEDULLA_THREADS
  pthreadpool_parallelize_1d(own_, task, argument, count,
                             last ? PTHREADPOOL_FLAG_YIELD_WORKERS : 0);
  awake_ = !last;
#endif
}

void Parallel::rest() {
#if MEDULLA_THREADS
  if (!awake_) return;
  // Fewer than two tasks would not reach the threads.
  run([](void*, size_t) {}, nullptr, pthreadpool_get_threads_count(own_), true);
#endif
}

}  // namespace medulla
