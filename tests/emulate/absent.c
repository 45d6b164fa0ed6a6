// SPDX-License-Identifier: Apache-2.0
// In the place of cpuinfo and pthreadpool, which are shared libraries: a machine of which nothing
// is known, and no threads.
#include <cpuinfo.h>
#include <pthreadpool.h>
#include <stddef.h>

bool cpuinfo_initialize(void) { return false; }
const struct cpuinfo_cache* cpuinfo_get_l1d_cache(uint32_t index) { return (void)index, NULL; }
const struct cpuinfo_cache* cpuinfo_get_l2_cache(uint32_t index) { return (void)index, NULL; }
const struct cpuinfo_cache* cpuinfo_get_l3_cache(uint32_t index) { return (void)index, NULL; }

pthreadpool_t pthreadpool_create(size_t threads) { return (void)threads, NULL; }
size_t pthreadpool_get_threads_count(pthreadpool_t pool) { return (void)pool, (size_t)0; }
void pthreadpool_parallelize_1d(pthreadpool_t pool, pthreadpool_task_1d_t task, void* context,
                                size_t range, uint32_t flags) {
  (void)pool, (void)task, (void)context, (void)range, (void)flags;
}
void pthreadpool_destroy(pthreadpool_t pool) { (void)pool; }
