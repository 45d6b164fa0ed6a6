// SPDX-License-Identifier: Apache-2.0
#include "src/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/base/text.h"

namespace medulla {
namespace {

// strerror_r returns the text on some systems, and on others whether it wrote it to the buffer.
[[maybe_unused]] const char* text_of(int, const char* buffer) { return buffer; }
[[maybe_unused]] const char* text_of(const char* text, const char*) { return text; }

mdl_status fail_errno(mdl_error* error, const char* what) {
  const int reason = errno;
  char buffer[128] = "unknown error";
  return fail(error, MDL_ERROR_IO, what, ": ",
              text_of(strerror_r(reason, buffer, sizeof(buffer)), buffer));
}

mdl_status map_open_file(int file, uint64_t max_bytes, FileMap* map, mdl_error* error) {
  struct stat info;
  if (fstat(file, &info) != 0) return fail_errno(error, "its size cannot be read");
  if (S_ISDIR(info.st_mode)) return fail(error, MDL_ERROR_IO, "is a directory, should be a file");
  if (!S_ISREG(info.st_mode)) {
    return fail(error, MDL_ERROR_IO, "is a device or a pipe, should be a regular file");
  }
  if (info.st_size == 0) return fail(error, MDL_ERROR_IO, "the file is empty");
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (size > max_bytes || size > SIZE_MAX / 2) {
    return fail(error, MDL_ERROR_LIMIT, "the file has ", size, " bytes, the limit is ",
                max_bytes < SIZE_MAX / 2 ? max_bytes : SIZE_MAX / 2);
  }
  void* data = mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED) return fail_errno(error, "the file cannot be mapped");
  map->data = data;
  map->size = static_cast<size_t>(size);
  return MDL_OK;
}

}  // namespace

mdl_status map_file(const char* path, uint64_t max_bytes, FileMap* map, mdl_error* error) {
  // Without O_NONBLOCK the open of a pipe would wait for a writer.
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return fail_errno(error, "the file cannot be opened");
  const mdl_status status = map_open_file(file, max_bytes, map, error);
  close(file);
  return status;
}

void unmap_file(FileMap* map) {
  if (map->data != nullptr) munmap(const_cast<void*>(map->data), map->size);
  *map = {};
}

mdl_status lock_memory(const void* data, size_t size, mdl_error* error) {
  if (mlock(data, size) == 0) return MDL_OK;
  return fail_errno(error, "its memory cannot be locked (see RLIMIT_MEMLOCK)");
}

void unlock_memory(const void* data, size_t size) { munlock(data, size); }

}  // namespace medulla
