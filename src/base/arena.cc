// SPDX-License-Identifier: Apache-2.0
#include "src/base/arena.h"

#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "src/base/checked.h"

namespace medulla {
namespace {

// Stands before each piece that comes from the allocator.
struct alignas(MDL_ALIGNMENT) Chunk {
  void* next;
  size_t size;
};

// A huge page of x86-64 and of arm64 with pages of 4 KiB.
constexpr size_t kHugePage = size_t{2} << 20;

// What is allocated is zeroed next: the pages of large memory come at once instead of by a fault
// each, in half the time, and huge ones in a fifth of that. Pages that lie in the memory only in
// part stay small, so that no more is taken than was asked for. A kernel that does not know how
// leaves it at that.
void populate([[maybe_unused]] void* memory, [[maybe_unused]] size_t size) {
#if defined(MADV_POPULATE_WRITE)
  constexpr size_t kLarge = size_t{256} << 10;
  if (memory == nullptr || size < kLarge) return;
  if (size >= kHugePage) madvise(memory, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t before = -reinterpret_cast<uintptr_t>(memory) % page;
  const size_t whole = (size - before) / page * page;
  madvise(static_cast<char*>(memory) + before, whole, MADV_POPULATE_WRITE);
#endif
}

void* allocate_aligned(void*, size_t size, size_t alignment) {
  if (size >= kHugePage && alignment < kHugePage) alignment = kHugePage;
  void* const memory = std::aligned_alloc(alignment, align_up(size, alignment));
  populate(memory, size);
  return memory;
}

void release_aligned(void*, void* pointer, size_t, size_t) { std::free(pointer); }

}  // namespace

const mdl_allocator& default_allocator() {
  static constexpr mdl_allocator allocator = {nullptr, allocate_aligned, release_aligned};
  return allocator;
}

Arena::Arena(const mdl_allocator& allocator, mdl_block block)
    : allocator_(allocator), block_(block) {}

Arena::~Arena() {
  release_chunks(&temporary_, nullptr);
  release_chunks(&lasting_, nullptr);
}

void* Arena::allocate(size_t size) { return take(size, &bottom_, &lasting_); }

void* Arena::allocate_temporary(size_t size) { return take(size, &top_, &temporary_); }

void* Arena::take(size_t size, size_t* end, void** chunks) {
  const size_t used = bottom_ + top_;
  if (size > SIZE_MAX / 4 - used) return nullptr;
  const size_t rounded = align_up(size == 0 ? 1 : size, MDL_ALIGNMENT);
  char* piece = nullptr;
  if (block_.data != nullptr) {
    if (rounded > block_.size || used > block_.size - rounded) return nullptr;
    char* base = static_cast<char*>(block_.data);
    const size_t whole = block_.size & ~size_t{MDL_ALIGNMENT - 1};
    if (used + rounded > whole) return nullptr;
    piece = end == &bottom_ ? base + bottom_ : base + (whole - top_ - rounded);
  } else {
    void* memory = allocator_.allocate(allocator_.context, sizeof(Chunk) + rounded, MDL_ALIGNMENT);
    if (memory == nullptr) return nullptr;
    Chunk* chunk = static_cast<Chunk*>(memory);
    chunk->next = *chunks;
    chunk->size = sizeof(Chunk) + rounded;
    *chunks = chunk;
    piece = static_cast<char*>(memory) + sizeof(Chunk);
  }
  *end += rounded;
  if (used + rounded > peak_) peak_ = used + rounded;
  std::memset(piece, 0, rounded);
  return piece;
}

void Arena::release_temporary(size_t top, void* chunk) {
  top_ = top;
  release_chunks(&temporary_, chunk);
}

void Arena::release_chunks(void** chunks, const void* last) {
  while (*chunks != last) {
    Chunk* chunk = static_cast<Chunk*>(*chunks);
    *chunks = chunk->next;
    allocator_.release(allocator_.context, chunk, chunk->size, MDL_ALIGNMENT);
  }
}

}  // namespace medulla
