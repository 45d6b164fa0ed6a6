// SPDX-License-Identifier: Apache-2.0
#include <new>

#include "src/api/handles.h"
#include "src/api/options.h"
#include "src/base/fp_env.h"

namespace medulla {
namespace {

constexpr size_t kMaxThreads = 1024;

mdl_status read_session_options(const mdl_session_options* given, mdl_session_options* options,
                                SessionOptions* session, mdl_error* error) {
  MDL_TRY(read_options(given, options, error));
  MDL_TRY(check_memory(*options, error));
  if (options->pool != nullptr && options->pool->run == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: the pool has no run function");
  }
  if (options->profile > 1 || options->check_finite > 1) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: profile is ", options->profile,
                ", check_finite is ", options->check_finite, ", both should be 0 or 1");
  }
  session->threads = Parallel::threads(options->threads, options->pool);
  session->profile = options->profile != 0;
  session->check_finite = options->check_finite != 0;
  if (session->threads > kMaxThreads) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: ", session->threads,
                " threads, should be at most ", kMaxThreads);
  }
  return MDL_OK;
}

void release(mdl_session* session) {
  const mdl_allocator allocator = session->allocator;
  if (session->from_allocator) {
    allocator.release(allocator.context, session, session->bytes, MDL_ALIGNMENT);
  }
}

}  // namespace

mdl_status session_need(const Program& program, const SessionOptions& options, size_t* bytes,
                        mdl_error* error) {
  if (!checked_add(mdl_session::head(), Session::memory_need(program, options), bytes) ||
      *bytes > SIZE_MAX / 2) {
    return fail(error, MDL_ERROR_LIMIT, "a session with ", options.threads, " threads, ",
                program.scratch_bytes, " bytes of scratch each and ", program.arena_bytes,
                " bytes of arena would be larger than memory can be");
  }
  return MDL_OK;
}

}  // namespace medulla

using medulla::fail;
using medulla::Session;

mdl_status mdl_session_create(const mdl_program* program, const mdl_session_options* given,
                              mdl_session** session, mdl_error* error) {
  if (program == nullptr || session == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT,
                "mdl_session_create: program or session is null");
  }
  mdl_session_options options;
  medulla::SessionOptions settings;
  MDL_TRY(medulla::read_session_options(given, &options, &settings, error));
  const medulla::FloatEnvironment environment;
  size_t need = 0;
  MDL_TRY(medulla::session_need(program->program, settings, &need, error));
  const mdl_allocator& allocator = medulla::allocator_of(options.allocator);
  void* memory = options.block.data;
  if (memory == nullptr) {
    memory = allocator.allocate(allocator.context, need, MDL_ALIGNMENT);
    if (memory == nullptr) {
      return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for the session, ", need, " bytes");
    }
  } else if (options.block.size < need) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "the block has ", options.block.size,
                " bytes, the session needs ", need);
  }
  std::memset(memory, 0, need);
  mdl_session* built = new (memory) mdl_session{allocator, options.block.data == nullptr, need};
  new (&built->session()) Session();
  const mdl_status status =
      built->session().open(program->program, settings, options.threads, options.pool, error);
  if (status != MDL_OK) {
    medulla::release(built);
    return status;
  }
  *session = built;
  return MDL_OK;
}

mdl_status mdl_session_memory_need(const mdl_program* program, const mdl_session_options* given,
                                   size_t* bytes, mdl_error* error) {
  if (program == nullptr || bytes == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT,
                "mdl_session_memory_need: program or bytes is null");
  }
  mdl_session_options options;
  medulla::SessionOptions settings;
  MDL_TRY(medulla::read_session_options(given, &options, &settings, error));
  size_t need = 0;
  MDL_TRY(medulla::session_need(program->program, settings, &need, error));
  *bytes = need;
  return MDL_OK;
}

void mdl_session_destroy(mdl_session* session) {
  if (session == nullptr) return;
  session->session().close();
  medulla::release(session);
}

mdl_status mdl_session_resize(mdl_session* session, const int64_t* const* dims, size_t input_count,
                              mdl_error* error) {
  if (session == nullptr || (dims == nullptr && input_count > 0)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_session_resize: session or dims is null");
  }
  const size_t count = session->session().program().graph.input_count;
  if (input_count != count) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_session_resize: ", input_count,
                " shapes, the model has ", count, " inputs");
  }
  const medulla::FloatEnvironment environment;
  return session->session().resize(dims, error);
}

mdl_status mdl_session_run(mdl_session* session) {
  return session != nullptr ? session->session().run() : MDL_ERROR_INVALID_ARGUMENT;
}

const char* mdl_session_error(const mdl_session* session) {
  return session != nullptr ? session->session().last_error().text : "";
}

void mdl_session_cancel(mdl_session* session) {
  if (session != nullptr) session->session().cancel();
}

mdl_status mdl_session_reset(mdl_session* session, mdl_error* error) {
  if (session == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_session_reset: session is null");
  }
  session->session().reset();
  return MDL_OK;
}

size_t mdl_session_state_bytes(const mdl_session* session) {
  return session != nullptr ? session->session().saved_bytes() : 0;
}

mdl_status mdl_session_save(const mdl_session* session, void* data, size_t size, mdl_error* error) {
  if (session == nullptr || data == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_session_save: session or data is null");
  }
  const size_t need = session->session().saved_bytes();
  if (size < need) {
    return fail(error, MDL_ERROR_SHAPE, "mdl_session_save: room for ", size, " bytes, needs ",
                need);
  }
  session->session().save(data);
  return MDL_OK;
}

mdl_status mdl_session_restore(mdl_session* session, const void* data, size_t size,
                               mdl_error* error) {
  if (session == nullptr || data == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_session_restore: session or data is null");
  }
  const medulla::FloatEnvironment environment;
  return session->session().restore(data, size, error);
}

mdl_status mdl_session_profile(const mdl_session* session,
                               int (*visit)(void* context, const mdl_step_profile* step),
                               void* context, mdl_error* error) {
  if (session == nullptr || visit == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_session_profile: session or visit is null");
  }
  const Session& s = session->session();
  if (!s.has_profile()) {
    return fail(error, MDL_ERROR_UNSUPPORTED,
                "no profile: create the session with profile = 1 and run it with success");
  }
  const medulla::Program& program = s.program();
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const medulla::Step& step = program.steps[i];
    const mdl_step_profile profile = {
        .struct_size = sizeof(mdl_step_profile),
        .name = program.graph.nodes[step.group.nodes[0]].name,
        .op = step.ops,
        .backend = medulla::step_backend(program, step),
        .kernel = step.plan.kernel,
        .nanoseconds = s.nanoseconds()[i],
        .macs = step.plan.macs,
        .bytes = step.bytes,
    };
    if (visit(context, &profile) == 0) break;
  }
  return MDL_OK;
}
