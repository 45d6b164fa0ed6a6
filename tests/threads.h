// SPDX-License-Identifier: Apache-2.0
// A host's thread pool that the thread sanitizer can see through: new threads for each call.
#ifndef MEDULLA_TESTS_THREADS_H_
#define MEDULLA_TESTS_THREADS_H_

#include <thread>
#include <vector>

namespace medulla::test {

inline void run_on_threads(void*, void (*task)(void*, size_t), void* argument, size_t count) {
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i) threads.emplace_back(task, argument, i);
  task(argument, 0);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_THREADS_H_
