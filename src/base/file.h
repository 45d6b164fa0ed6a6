// SPDX-License-Identifier: Apache-2.0
// Files as read-only memory.
#ifndef MEDULLA_SRC_BASE_FILE_H_
#define MEDULLA_SRC_BASE_FILE_H_

#include <cstddef>
#include <cstdint>

#include "medulla/medulla.h"

namespace medulla {

struct FileMap {
  const void* data = nullptr;
  size_t size = 0;
};

// Maps a regular, non-empty file of at most `max_bytes`. Statuses: IO, LIMIT; the text names the
// system's reason, not the path. The file has to stay as it is while it is mapped.
mdl_status map_file(const char* path, uint64_t max_bytes, FileMap* map, mdl_error* error);
void unmap_file(FileMap* map);

// Reads the pages of [data, data + size) into memory and keeps them there. Status: IO.
mdl_status lock_memory(const void* data, size_t size, mdl_error* error);
void unlock_memory(const void* data, size_t size);

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_FILE_H_
