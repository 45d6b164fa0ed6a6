// SPDX-License-Identifier: Apache-2.0
#include <new>

#include "src/api/handles.h"
#include "src/api/options.h"
#include "src/base/fp_env.h"
#include "src/base/names.h"
#include "src/model/model.h"

namespace medulla {
namespace {

// A list that is not empty and names nothing, such as ",", is a slip of the caller's.
mdl_status check_lists(const mdl_program_options& options, mdl_error* error) {
  const struct {
    const char* field;
    const char* list;
  } lists[] = {{"isa", options.isa},
               {"backends", options.backends},
               {"kernels", options.kernels},
               {"keep", options.keep}};
  for (const auto& [field, list] : lists) {
    std::string_view rest = list != nullptr ? list : "";
    std::string_view name;
    if (rest.empty() || next_name(&rest, &name)) continue;
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: ", field, " is '", list,
                "', which names nothing; leave it null, or name some");
  }
  return MDL_OK;
}

mdl_status read_program_options(const mdl_program_options* given, mdl_program_options* options,
                                mdl_error* error) {
  MDL_TRY(read_options(given, options, error));
  if (options->backends != nullptr && options->backends[0] == 0) options->backends = nullptr;
  const uint32_t placement = enum_value(options->placement);
  const uint32_t numerics = enum_value(options->numerics);
  const uint32_t precision = enum_value(options->precision);
  if (placement > MDL_PLACEMENT_STRICT || numerics > MDL_NUMERICS_FAST ||
      precision > MDL_PRECISION_LOW) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: placement is ", placement,
                ", numerics ", numerics, ", precision ", precision,
                "; one of them is no value of its enum");
  }
  if (numerics == MDL_NUMERICS_EXACT && precision == MDL_PRECISION_LOW) {
    return fail(
        error, MDL_ERROR_INVALID_ARGUMENT,
        "options: numerics is EXACT and precision is LOW, whose results are not exact; give "
        "one of them up");
  }
  if (options->extra_backend_count > 0 && options->extra_backends == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: extra_backends is null, its count ",
                options->extra_backend_count);
  }
  MDL_TRY(check_lists(*options, error));
  return check_memory(*options, error);
}

// The handle, in the block or from the allocator; null when there is no memory.
mdl_program* make_handle(const mdl_program_options& options) {
  const mdl_allocator& allocator = allocator_of(options.allocator);
  const size_t head = mdl_program::head();
  if (options.block.data != nullptr) {
    if (options.block.size < head) return nullptr;
    std::byte* data = static_cast<std::byte*>(options.block.data);
    return new (data) mdl_program(allocator, {data + head, options.block.size - head});
  }
  void* memory = allocator.allocate(allocator.context, head, MDL_ALIGNMENT);
  if (memory == nullptr) return nullptr;
  mdl_program* program = new (memory) mdl_program(allocator, {nullptr, 0});
  program->from_allocator = true;
  return program;
}

void destroy(mdl_program* program) {
  close_program(program->program);
  const mdl_allocator allocator = program->allocator;
  const bool from_allocator = program->from_allocator;
  program->~mdl_program();
  if (from_allocator) {
    allocator.release(allocator.context, program, mdl_program::head(), MDL_ALIGNMENT);
  }
}

// What a program that was planned takes once it is packed.
size_t program_bytes(const mdl_program& planned) {
  const size_t packed = planned.arena.lasting() + planned.program.packed_bytes;
  return mdl_program::head() + std::max(planned.arena.peak(), packed);
}

// Plans, and says what a session with one thread takes.
mdl_status plan(const mdl_graph& graph, const uint8_t* digest, const mdl_program_options& options,
                bool share_memory, mdl_program** program, size_t* session_bytes, mdl_error* error) {
  mdl_program* built = make_handle(options);
  if (built == nullptr) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for the program's handle");
  }
  mdl_status status =
      plan_program(graph, digest, options, share_memory, built->arena, &built->program, error);
  if (status == MDL_OK) {
    status = session_need(built->program, SessionOptions(), session_bytes, error);
  }
  if (status != MDL_OK) {
    destroy(built);
    return status;
  }
  *program = built;
  return MDL_OK;
}

// Says how much the block lacks. Only a second plan, outside of the block, knows.
mdl_status fail_block(const mdl_graph& graph, const mdl_program_options* options, bool share_memory,
                      size_t size, const mdl_error& reason, mdl_error* error) {
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  if (program_memory_need(graph, options, share_memory, &need, nullptr) != MDL_OK) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "the block of ", size,
                " bytes is too small for the program, and the allocator had no memory to find out "
                "how many it needs; mdl_program_memory_need says so");
  }
  if (need.program_bytes <= size) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, static_cast<const char*>(reason.text));
  }
  return fail(error, MDL_ERROR_OUT_OF_MEMORY, "the block has ", size, " bytes, the program needs ",
              need.program_bytes);
}

}  // namespace

mdl_status create_program(const mdl_graph& graph, const uint8_t* digest,
                          const mdl_program_options* given, bool share_memory,
                          mdl_program** program, mdl_error* error) {
  mdl_program_options options;
  MDL_TRY(read_program_options(given, &options, error));
  const FloatEnvironment environment;
  mdl_program* built = nullptr;
  mdl_error reason = MDL_ERROR_INIT;
  size_t session_bytes = 0;
  mdl_status status = plan(graph, digest, options, share_memory, &built, &session_bytes, &reason);
  if (status == MDL_OK) {
    const size_t whole = program_bytes(*built) + session_bytes;
    if (options.memory_budget != 0 && whole > options.memory_budget) {
      status = fail(&reason, MDL_ERROR_LIMIT, "program and session need ", whole,
                    " bytes, the budget is ", options.memory_budget);
    }
    if (status == MDL_OK) status = pack_program(built->arena, &built->program, &reason);
    if (status != MDL_OK) destroy(built);
  }
  if (status == MDL_ERROR_OUT_OF_MEMORY && options.block.data != nullptr) {
    return fail_block(graph, given, share_memory, options.block.size, reason, error);
  }
  if (status != MDL_OK) return fail(error, status, static_cast<const char*>(reason.text));
  *program = built;
  return MDL_OK;
}

mdl_status program_memory_need(const mdl_graph& graph, const mdl_program_options* given,
                               bool share_memory, mdl_memory_need* need, mdl_error* error) {
  mdl_program_options options;
  MDL_TRY(read_program_options(given, &options, error));
  options.block = {};
  options.max_arena_bytes = 0;
  const FloatEnvironment environment;
  mdl_program* built = nullptr;
  mdl_memory_need all = MDL_MEMORY_NEED_INIT;
  MDL_TRY(plan(graph, nullptr, options, share_memory, &built, &all.session_bytes, error));
  const Program& program = built->program;
  all.program_bytes = program_bytes(*built);
  all.packed_bytes = program.packed_bytes;
  all.arena_bytes = program.arena_bytes;
  all.arena_bound_bytes = program.arena_bound_bytes;
  all.scratch_bytes = program.scratch_bytes;
  all.state_bytes = program.state_bytes;
  all.stack_bytes = run_stack_bytes(program);
  destroy(built);
  const size_t size = std::min(need->struct_size, sizeof(all));
  all.struct_size = need->struct_size;
  std::memcpy(need, &all, size);
  return MDL_OK;
}

}  // namespace medulla

using medulla::fail;

mdl_status mdl_program_create(const mdl_model* model, const mdl_program_options* options,
                              mdl_program** program, mdl_error* error) {
  if (model == nullptr || program == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_program_create: model or program is null");
  }
  return medulla::create_program(medulla::model_graph(*model), model->digest, options, true,
                                 program, error);
}

mdl_status mdl_program_memory_need(const mdl_model* model, const mdl_program_options* options,
                                   mdl_memory_need* need, mdl_error* error) {
  if (model == nullptr || need == nullptr || need->struct_size < sizeof(size_t)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT,
                "mdl_program_memory_need: model or need is null, or its struct_size is not set");
  }
  return medulla::program_memory_need(medulla::model_graph(*model), options, true, need, error);
}

void mdl_program_destroy(mdl_program* program) {
  if (program != nullptr) medulla::destroy(program);
}

mdl_status mdl_program_plan(const mdl_program* program, mdl_plan_format format, char* text,
                            size_t size, size_t* needed, mdl_error* error) {
  if (program == nullptr || needed == nullptr || (text == nullptr && size > 0)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT,
                "mdl_program_plan: program, needed or text is null");
  }
  const uint32_t value = medulla::enum_value(format);
  if (value > MDL_PLAN_JSON) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_program_plan: format ", value,
                " is neither text nor JSON");
  }
  *needed = value == MDL_PLAN_JSON ? medulla::plan_json(program->program, text, size)
                                   : medulla::plan_text(program->program, text, size);
  return MDL_OK;
}

size_t mdl_program_step_count(const mdl_program* program) {
  return program != nullptr ? program->program.steps.size() : 0;
}
