// SPDX-License-Identifier: Apache-2.0
// How the API reads what callers hand in.
#ifndef MEDULLA_SRC_API_OPTIONS_H_
#define MEDULLA_SRC_API_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "src/base/arena.h"
#include "src/base/text.h"

namespace medulla {

// Copies a caller's option struct, which may be of an older or a newer version of the header: what
// an older one lacks is zero, what a newer one has more has to be zero. Null gives the defaults.
template <class Options>
mdl_status read_options(const Options* given, Options* options, mdl_error* error) {
  *options = {};
  options->struct_size = sizeof(Options);
  if (given == nullptr) return MDL_OK;
  const size_t size = given->struct_size;
  if (size < sizeof(size_t) || size > 65536) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: struct_size is ", size, ", should be ",
                sizeof(Options), "; set it with the *_INIT macro");
  }
  const char* bytes = reinterpret_cast<const char*>(given);
  for (size_t i = sizeof(Options); i < size; ++i) {
    if (bytes[i] != 0) {
      return fail(error, MDL_ERROR_VERSION, "options: byte ", i, " is set, and this library knows ",
                  sizeof(Options), " bytes of them only");
    }
  }
  std::memcpy(static_cast<void*>(options), given, std::min(size, sizeof(Options)));
  options->struct_size = sizeof(Options);
  return MDL_OK;
}

// What a caller put into a field of an enum, which may be no value of it.
template <class Enum>
uint32_t enum_value(const Enum& field) {
  static_assert(sizeof(Enum) == sizeof(uint32_t));
  uint32_t value;
  std::memcpy(&value, &field, sizeof(value));
  return value;
}

// Where an object is to live: what the options say of its block and its allocator.
template <class Options>
mdl_status check_memory(const Options& options, mdl_error* error) {
  const mdl_allocator* allocator = options.allocator;
  if (allocator != nullptr && (allocator->allocate == nullptr || allocator->release == nullptr)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: the allocator has no ",
                allocator->allocate == nullptr ? "allocate" : "release",
                " function; it needs both, or be null for malloc");
  }
  const size_t rest = reinterpret_cast<uintptr_t>(options.block.data) % MDL_ALIGNMENT;
  if (rest == 0) return MDL_OK;
  return fail(error, MDL_ERROR_INVALID_ARGUMENT, "the block is ", rest,
              " bytes off, should be aligned to ", MDL_ALIGNMENT);
}

inline const mdl_allocator& allocator_of(const mdl_allocator* given) {
  return given != nullptr ? *given : default_allocator();
}

}  // namespace medulla

#endif  // MEDULLA_SRC_API_OPTIONS_H_
