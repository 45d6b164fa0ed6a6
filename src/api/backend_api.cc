// SPDX-License-Identifier: Apache-2.0
// Backends in shared objects. The handle is the loader's own, so that nothing is allocated here.
#include <cstddef>

#include "medulla/backend.h"
#include "src/base/text.h"

#if defined(__unix__) && __has_include(<dlfcn.h>)
#include <dlfcn.h>
#define MEDULLA_HAS_LOADER 1
#else
#define MEDULLA_HAS_LOADER 0
#endif

using medulla::fail;

static mdl_status check_arguments(const char* path, mdl_backend_library** library,
                                  const mdl_backend** backend, mdl_error* error) {
  if (path != nullptr && library != nullptr && backend != nullptr) return MDL_OK;
  return fail(error, MDL_ERROR_INVALID_ARGUMENT,
              "mdl_backend_load: path, library or backend is null");
}

#if MEDULLA_HAS_LOADER

mdl_status mdl_backend_load(const char* path, mdl_backend_library** library,
                            const mdl_backend** backend, mdl_error* error) {
  MDL_TRY(check_arguments(path, library, backend, error));
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(error, MDL_ERROR_IO, "backend '", path, "': ", dlerror());
  const auto entry = reinterpret_cast<mdl_backend_entry_fn>(dlsym(handle, MDL_BACKEND_ENTRY));
  const mdl_backend* found = entry != nullptr ? entry(MDL_BACKEND_ABI) : nullptr;
  mdl_status status = MDL_OK;
  if (entry == nullptr) {
    status = fail(error, MDL_ERROR_IO, "backend '", path, "': no symbol ", MDL_BACKEND_ENTRY);
  } else if (found == nullptr || found->abi != MDL_BACKEND_ABI) {
    status =
        fail(error, MDL_ERROR_VERSION, "backend '", path, "' does not serve ABI ", MDL_BACKEND_ABI);
  }
  if (status != MDL_OK) {
    dlclose(handle);
    return status;
  }
  *library = static_cast<mdl_backend_library*>(handle);
  *backend = found;
  return MDL_OK;
}

void mdl_backend_unload(mdl_backend_library* library) {
  if (library != nullptr) dlclose(library);
}

#else

mdl_status mdl_backend_load(const char* path, mdl_backend_library** library,
                            const mdl_backend** backend, mdl_error* error) {
  MDL_TRY(check_arguments(path, library, backend, error));
  return fail(error, MDL_ERROR_NOT_BUILT, "backend '", path,
              "': this system has no loader of shared objects");
}

void mdl_backend_unload(mdl_backend_library*) {}

#endif
