// SPDX-License-Identifier: Apache-2.0
#include "src/graph/backends.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "src/base/names.h"
#include "src/base/text.h"

#define MDL_BACKEND(name) extern "C" const mdl_backend mdl_backend_##name;
#include "medulla_backends.inc"
#undef MDL_BACKEND

namespace medulla {
namespace {

constexpr const mdl_backend* kBuiltIn[] = {
#define MDL_BACKEND(name) &mdl_backend_##name,
#include "medulla_backends.inc"
#undef MDL_BACKEND
};

const mdl_backend* find_backend(const mdl_program_options& options, std::string_view name) {
  for (size_t b = 0; b < options.extra_backend_count; ++b) {
    const mdl_backend* backend = options.extra_backends[b];
    if (name == backend->name) return backend;
  }
  for (const mdl_backend* backend : kBuiltIn) {
    if (name == backend->name) return backend;
  }
  return nullptr;
}

mdl_status fail_unknown(const mdl_program_options& options, std::string_view name,
                        mdl_error* error) {
  char known[256];
  Text text(known, sizeof(known));
  for (size_t b = 0; b < options.extra_backend_count; ++b) {
    text << ' ' << options.extra_backends[b]->name;
  }
  for (const mdl_backend* backend : kBuiltIn) text << ' ' << backend->name;
  return fail(error, MDL_ERROR_NOT_BUILT, "backend '", name,
              "' is neither built in nor handed in; there are:", static_cast<const char*>(known));
}

// A backend that shares its name, or whose name reads as several, could not be asked for, nor named
// in a text.
mdl_status check_names(const mdl_program_options& options, mdl_error* error) {
  for (size_t b = 0; b < options.extra_backend_count; ++b) {
    const mdl_backend* backend = options.extra_backends[b];
    if (backend == nullptr || backend->name == nullptr || backend->name[0] == 0) {
      return fail(error, MDL_ERROR_INVALID_ARGUMENT, "extra_backends[", b,
                  backend == nullptr ? "] is null" : "] has no name");
    }
    const std::string_view name = backend->name;
    const auto taken = [&](const mdl_backend* other) { return name == other->name; };
    if (name.find(',') != std::string_view::npos ||
        std::any_of(options.extra_backends, options.extra_backends + b, taken) ||
        std::any_of(std::begin(kBuiltIn), std::end(kBuiltIn), taken)) {
      return fail(error, MDL_ERROR_INVALID_ARGUMENT, "extra_backends[", b, "] is called '", name,
                  "', should be a name without a comma that no other backend has");
    }
  }
  return MDL_OK;
}

// What a core of this version calls without asking.
mdl_status check_table(const mdl_backend& backend, mdl_error* error) {
  if (backend.abi != MDL_BACKEND_ABI) {
    return fail(error, MDL_ERROR_VERSION, "backend '", backend.name, "' is of ABI ", backend.abi,
                ", this library of ABI ", MDL_BACKEND_ABI);
  }
  if (backend.struct_size < offsetof(mdl_backend, submit) || backend.supports == nullptr ||
      backend.plan == nullptr || backend.resize == nullptr || backend.bind == nullptr) {
    return fail(error, MDL_ERROR_BACKEND, "backend '", backend.name,
                "' lacks one of supports, plan, resize and bind");
  }
  return MDL_OK;
}

class Opener {
 public:
  Opener(Arena& arena, Program* program, std::span<Instance> room)
      : arena_(arena), program_(*program), room_(room) {}

  mdl_status open(const mdl_backend& backend, bool needed, mdl_error* error) {
    for (const Instance& other : program_.backends) {
      if (other.backend == &backend) return MDL_OK;
    }
    MDL_TRY(check_table(backend, error));
    Instance& instance = room_[program_.backends.size()];
    instance = {&backend, nullptr};
    if (backend.open != nullptr) {
      const mdl_host host = {sizeof(mdl_host), &arena_, allocate};
      mdl_error reason = MDL_ERROR_INIT;
      const mdl_status status = checked_status(
          backend.open(&program_.context, &host, &instance.instance, &reason), &reason);
      if (status == MDL_ERROR_BACKEND && !needed) return keep_reason(backend, reason, error);
      if (status != MDL_OK) {
        return fail(error, status, "backend '", backend.name,
                    "' does not open: ", static_cast<const char*>(reason.text));
      }
    }
    program_.backends = room_.first(program_.backends.size() + 1);
    return MDL_OK;
  }

 private:
  static void* allocate(void* context, size_t size, size_t alignment) {
    if (alignment > MDL_ALIGNMENT) return nullptr;
    return static_cast<Arena*>(context)->allocate(size);
  }

  // Puts a backend that is not there behind the others in program_.closed.
  mdl_status keep_reason(const mdl_backend& backend, const mdl_error& reason, mdl_error* error) {
    const char* why = reason.text[0] != 0 ? reason.text : mdl_status_name(MDL_ERROR_BACKEND);
    const auto write = [&](char* buffer, size_t size) {
      Text text(buffer, size);
      text << program_.closed << (program_.closed[0] != 0 ? "; " : "") << backend.name
           << ": does not open: " << why;
      return text.needed();
    };
    const size_t bytes = write(nullptr, 0);
    char* text = arena_.make<char>(bytes);
    if (text == nullptr) {
      return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for the list of backends");
    }
    write(text, bytes);
    program_.closed = text;
    return MDL_OK;
  }

  Arena& arena_;
  Program& program_;
  std::span<Instance> room_;
};

}  // namespace

std::span<const mdl_backend* const> built_in_backends() { return kBuiltIn; }

mdl_status open_backends(const mdl_program_options& options, Arena& arena, Program* program,
                         mdl_error* error) {
  MDL_TRY(check_names(options, error));
  program->closed = "";
  const size_t most = options.extra_backend_count + std::size(kBuiltIn);
  const std::span room(arena.make<Instance>(most), most);
  if (room.data() == nullptr) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for the list of backends");
  }
  Opener opener(arena, program, room);
  const bool strict = options.placement == MDL_PLACEMENT_STRICT;
  std::string_view rest = options.backends != nullptr ? options.backends : "";
  const bool named = !rest.empty();
  for (std::string_view name; next_name(&rest, &name);) {
    const mdl_backend* backend = find_backend(options, name);
    if (backend == nullptr) return fail_unknown(options, name, error);
    MDL_TRY(opener.open(*backend, strict, error));
  }
  for (const mdl_backend* backend : kBuiltIn) {
    const bool own =
        std::strcmp(backend->name, "cpu") == 0 || std::strcmp(backend->name, "reference") == 0;
    if (!named || (own && !strict)) MDL_TRY(opener.open(*backend, false, error));
  }
  return MDL_OK;
}

mdl_status checked_status(mdl_status status, mdl_error* reason) {
  reason->text[sizeof(reason->text) - 1] = 0;
  const int value = static_cast<int>(status);
  if (value >= MDL_OK && value <= MDL_ERROR_INTERNAL) return status;
  return fail(reason, MDL_ERROR_BACKEND, "it gave ", value, ", which is no status");
}

void close_backends(Program& program) {
  for (const Instance& instance : program.backends) {
    if (instance.backend->close != nullptr) instance.backend->close(instance.instance);
  }
  program.backends = {};
}

}  // namespace medulla
