// SPDX-License-Identifier: Apache-2.0
// Where every object of the runtime takes its memory: a block of the caller, or an allocator.
#ifndef MEDULLA_SRC_BASE_ARENA_H_
#define MEDULLA_SRC_BASE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "medulla/medulla.h"

namespace medulla {

// Malloc and free as an mdl_allocator.
const mdl_allocator& default_allocator();

// Bump allocation at two ends. Lasting memory grows from the bottom and lives as long as the arena;
// temporary memory grows from the top, stack-like, and goes with its Scope. In a caller's block
// both share the block; without one each piece comes from the allocator. The accounting is the same
// for both (every piece rounded up to MDL_ALIGNMENT), so that peak() of a dry run without a block
// is the exact size of the block that the same calls need.
class Arena {
 public:
  // block.data = null: allocator. Otherwise the block has to be aligned to MDL_ALIGNMENT.
  Arena(const mdl_allocator& allocator, mdl_block block);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Zeroed, aligned to MDL_ALIGNMENT; null when there is no memory. size 0 gives a valid pointer.
  [[nodiscard]] void* allocate(size_t size);
  [[nodiscard]] void* allocate_temporary(size_t size);

  template <class T>
  [[nodiscard]] T* make(size_t count = 1) {
    return static_cast<T*>(allocate(bytes<T>(count)));
  }
  template <class T>
  [[nodiscard]] T* make_temporary(size_t count = 1) {
    return static_cast<T*>(allocate_temporary(bytes<T>(count)));
  }

  // Gives back, at its end, the temporary memory taken since its start.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), top_(arena.top_), chunk_(arena.temporary_) {}
    ~Scope() { arena_.release_temporary(top_, chunk_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    size_t top_;
    void* chunk_;
  };

  size_t lasting() const { return bottom_; }  // bytes of lasting memory so far
  size_t peak() const { return peak_; }       // most bytes that were in use at once

 private:
  // SIZE_MAX, which is always refused, when the product overflows.
  template <class T>
  static size_t bytes(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= MDL_ALIGNMENT);
    return count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T);
  }
  void* take(size_t size, size_t* end, void** chunks);
  void release_temporary(size_t top, void* chunk);
  void release_chunks(void** chunks, const void* last);

  mdl_allocator allocator_;
  mdl_block block_;
  size_t bottom_ = 0;
  size_t top_ = 0;
  size_t peak_ = 0;
  void* lasting_ = nullptr;    // list of chunks from the allocator
  void* temporary_ = nullptr;  // the same
};

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_ARENA_H_
