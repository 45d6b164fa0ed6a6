// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_GRAPH_ALLOCATOR_H_
#define MEDULLA_TESTS_GRAPH_ALLOCATOR_H_

#include <cstdint>
#include <cstdlib>

#include "medulla/medulla.h"

namespace medulla::test {

// Refuses allocation number `fail_at`, counts what is not given back.
struct Allocator {
  explicit Allocator(size_t refuse = SIZE_MAX) : fail_at(refuse) {}

  static void* allocate(void* context, size_t size, size_t alignment) {
    Allocator& self = *static_cast<Allocator*>(context);
    if (self.count++ == self.fail_at) return nullptr;
    ++self.live;
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  }
  static void release(void* context, void* pointer, size_t, size_t) {
    --static_cast<Allocator*>(context)->live;
    std::free(pointer);
  }
  mdl_allocator table() { return {this, allocate, release}; }

  size_t fail_at;
  size_t count = 0;
  size_t live = 0;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_ALLOCATOR_H_
