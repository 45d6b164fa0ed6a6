// SPDX-License-Identifier: Apache-2.0
/// @file backend.hpp
/// Backends in shared objects for C++17: a handle that unloads itself over backend.h.
#ifndef MEDULLA_BACKEND_HPP_
#define MEDULLA_BACKEND_HPP_

#include "medulla/backend.h"
#include "medulla/medulla.hpp"

namespace mdl {

/// A backend that was loaded by its path; it has to outlive the programs that use it.
class BackendLibrary : public detail::Handle<mdl_backend_library, mdl_backend_unload> {
 public:
  BackendLibrary() = default;

  static Result<BackendLibrary> load(const char* path) {
    mdl_backend_library* library = nullptr;
    const mdl_backend* backend = nullptr;
    Error error;
    const mdl_status status = mdl_backend_load(path, &library, &backend, error.out());
    if (status != MDL_OK) return Result<BackendLibrary>(error.with(status));
    return Result<BackendLibrary>(BackendLibrary(library, backend));
  }

  /// For mdl_program_options.extra_backends; null when nothing is loaded.
  const mdl_backend* backend() const { return get() != nullptr ? backend_ : nullptr; }

 private:
  BackendLibrary(mdl_backend_library* library, const mdl_backend* backend)
      : Handle(library), backend_(backend) {}

  const mdl_backend* backend_ = nullptr;
};

}  // namespace mdl

#endif  // MEDULLA_BACKEND_HPP_
