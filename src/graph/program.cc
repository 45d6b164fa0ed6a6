// SPDX-License-Identifier: Apache-2.0
#include "src/graph/program.h"

#include <algorithm>
#include <cstring>

#include "kernels/isa.h"
#include "src/base/caches.h"
#include "src/base/checked.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/graph/backends.h"
#include "src/graph/control.h"
#include "src/graph/memory.h"
#include "src/graph/place.h"
#include "src/graph/widen.h"

namespace medulla {
namespace {

// More than any part of a program or session can have: sums of a few of them do not overflow.
constexpr size_t kMostBytes = SIZE_MAX / 16;

mdl_status fail_memory(mdl_error* error) {
  return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for the program");
}

// What planning takes for granted of states, beside what the loader checks.
mdl_status check_graph(const mdl_graph& graph, mdl_error* error) {
  for (size_t s = 0; s < graph.state_count; ++s) {
    const mdl_state& state = graph.states[s];
    const mdl_tensor& tensor = graph.tensors[state.tensor];
    if (state.initial == nullptr) continue;
    for (uint32_t d = 1; d < tensor.rank; ++d) {
      if (state.kind == MDL_STATE_APPEND || tensor.symbols[d] != nullptr) {
        return fail(error, MDL_ERROR_UNSUPPORTED, "state '", tensor.name,
                    "' has an initial value, which only a state whose dimensions behind the first "
                    "are fixed can have");
      }
    }
  }
  return MDL_OK;
}

bool is_dynamic(const mdl_graph& graph) {
  for (size_t t = 0; t < graph.tensor_count; ++t) {
    for (uint32_t d = 0; d < graph.tensors[t].rank; ++d) {
      if (graph.tensors[t].symbols[d] != nullptr) return true;
    }
  }
  return std::any_of(graph.states, graph.states + graph.state_count,
                     [](const mdl_state& state) { return state.kind == MDL_STATE_APPEND; });
}

// A model with an integer node has an activation with a scale, here or in a body. A verified file
// bounds how deep bodies stand in one another.
bool is_quantized(const mdl_graph& graph) {
  const auto has_scale = [](const mdl_tensor& t) {
    return t.data == nullptr && t.quantization.count > 0;
  };
  const auto has_quantized_body = [](const mdl_node& node) {
    return std::any_of(node.attributes, node.attributes + node.attribute_count,
                       [](const mdl_attribute& attribute) {
                         return attribute.graph != nullptr && is_quantized(*attribute.graph);
                       });
  };
  return std::any_of(graph.tensors, graph.tensors + graph.tensor_count, has_scale) ||
         std::any_of(graph.nodes, graph.nodes + graph.node_count, has_quantized_body);
}

// Marks the tensors to keep, in a copy of the tensors.
mdl_status mark_kept(const char* names, Arena& arena, mdl_graph* graph, mdl_error* error) {
  std::string_view rest = names != nullptr ? names : "";
  std::string_view name;
  if (!next_name(&rest, &name)) return MDL_OK;
  mdl_tensor* tensors = arena.make<mdl_tensor>(graph->tensor_count);
  if (tensors == nullptr) return fail_memory(error);
  std::copy_n(graph->tensors, graph->tensor_count, tensors);
  graph->tensors = tensors;
  do {
    mdl_tensor* const end = tensors + graph->tensor_count;
    mdl_tensor* const found =
        std::find_if(tensors, end, [&](const mdl_tensor& t) { return name == t.name; });
    if (found == end) {
      NameList known;
      list_names(*graph, 0, known);
      return fail(error, MDL_ERROR_NOT_FOUND, "keep: the model has no tensor '", name,
                  "'; there are ", known.text());
    }
    found->flags |= MDL_TENSOR_KEEP;
  } while (next_name(&rest, &name));
  return MDL_OK;
}

const char* keep_text(std::string_view text, Arena& arena) {
  char* copy = arena.make<char>(text.size() + 1);
  if (copy != nullptr) std::copy(text.begin(), text.end(), copy);
  return copy;
}

mdl_status read_options(const mdl_program_options& options, Arena& arena, Program* program,
                        mdl_error* error) {
  IsaSet isa = host_isa();
  if (options.isa != nullptr) {
    IsaSet wanted;
    std::string_view unknown;
    if (!parse_isa_set(options.isa, &wanted, &unknown)) {
      char known[kIsaTextSize];
      format_isa_set(kAllIsas, known, sizeof(known));
      return fail(error, MDL_ERROR_INVALID_ARGUMENT, "isa: no instruction set is called '", unknown,
                  "'; there are portable,", static_cast<const char*>(known), " and all");
    }
    isa = isa & wanted;
  }
  char names[kIsaTextSize];
  format_isa_set(isa, names, sizeof(names));
  mdl_numerics numerics = options.numerics;
  if (numerics == MDL_NUMERICS_AUTO) {
    const bool exact = is_quantized(program->graph) && options.precision != MDL_PRECISION_LOW;
    numerics = exact ? MDL_NUMERICS_EXACT : MDL_NUMERICS_FAST;
  }
  const CacheSizes caches = host_caches();
  program->context = {
      .struct_size = sizeof(mdl_backend_context),
      .isa = isa.bits,
      .isa_names = keep_text(names, arena),
      .numerics = numerics,
      .precision = options.precision,
      .kernels = keep_text(options.kernels != nullptr ? options.kernels : "", arena),
      .l1d_bytes = caches.l1d,
      .l2_bytes = caches.l2,
      .l3_bytes = caches.l3,
      .memory_budget = options.memory_budget,
  };
  if (program->context.isa_names == nullptr || program->context.kernels == nullptr) {
    return fail_memory(error);
  }
  return MDL_OK;
}

// The weakest class that a step may have. A backend whose results are only measured has to be asked
// for by name.
mdl_numerics_class weakest_class(const Program& program, const mdl_program_options& options) {
  if (program.context.numerics != MDL_NUMERICS_FAST) return MDL_CLASS_EXACT;
  return options.backends != nullptr ? MDL_CLASS_MEASURED : MDL_CLASS_BOUNDED;
}

// Looks for the step that runs a row, in bodies too; sets *reason where it was refused.
bool runs_row(std::span<const Step> steps, std::string_view row, const char** reason) {
  bool runs = false;
  for (const Step& step : steps) {
    runs |= row == step.plan.kernel;
    if (std::string_view(step.refusals).find(row) != std::string_view::npos) {
      *reason = step.refusals;
    }
    if (step.control == nullptr) continue;
    for (const Program& body : step.control->bodies) runs |= runs_row(body.steps, row, reason);
  }
  return runs;
}

// A row that was forced and that no step runs is an error: what the caller wants to see is not
// there.
mdl_status check_forced(std::span<const Step> steps, const char* kernels, mdl_error* error) {
  std::string_view rest = kernels;
  for (std::string_view item; next_name(&rest, &item);) {
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      return fail(error, MDL_ERROR_INVALID_ARGUMENT, "kernels: '", item,
                  "' should read family=row");
    }
    std::string_view row = item;
    row.remove_prefix(equals + 1);
    const char* reason = "no node needs the family, or there is no such row";
    if (!runs_row(steps, row, &reason)) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "kernels: no step runs the row '", row,
                  "': ", reason);
    }
  }
  return MDL_OK;
}

bool in_arena(const Storage& storage) {
  return storage.kind == StorageKind::arena || storage.kind == StorageKind::input ||
         storage.kind == StorageKind::output;
}

mdl_status give_offsets(Arena& arena, Program* program, mdl_error* error) {
  const Arena::Scope scope(arena);
  const int32_t end = static_cast<int32_t>(program->steps.size());
  size_t count = 0;
  for (const Storage& storage : program->storages) count += in_arena(storage);
  const std::span spans(arena.make_temporary<Span>(count), count);
  const std::span order(arena.make_temporary<int32_t>(3 * count), 3 * count);
  const std::span room(arena.make_temporary<size_t>(count), count);
  const size_t positions = static_cast<size_t>(end) + 2;
  const std::span sums(arena.make_temporary<int64_t>(positions), positions);
  if (spans.data() == nullptr || order.data() == nullptr || room.data() == nullptr ||
      sums.data() == nullptr) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for planning the program");
  }
  size_t s = 0;
  size_t sum = 0;  // no offset is above it
  for (const Storage& storage : program->storages) {
    if (!in_arena(storage)) continue;
    if (storage.bytes > kMostBytes || !checked_add(sum, storage.bytes + MDL_ALIGNMENT, &sum) ||
        sum > kMostBytes) {
      return fail(error, MDL_ERROR_LIMIT, "the tensors are larger than memory can be, ",
                  storage.bytes, " bytes and ", sum, " of others");
    }
    spans[s++] = {storage.first, storage.last, align_up(storage.bytes, MDL_ALIGNMENT), 0};
  }
  program->arena_bound_bytes = lower_bound(spans, end, sums);
  program->arena_bytes = plan_offsets(spans, order, room, program->arena_bound_bytes);
  s = 0;
  for (Storage& storage : program->storages) {
    if (in_arena(storage)) storage.offset = spans[s++].offset;
  }
  return MDL_OK;
}

uint64_t touched_bytes(const mdl_graph& graph, const Step& step) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < step.operand_count(); ++i) bytes += graph.tensors[step.operand(i)].bytes;
  for (size_t n = 0; n < step.group.node_count; ++n) {
    const mdl_node& node = graph.nodes[step.group.nodes[n]];
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] >= 0 && graph.tensors[node.inputs[i]].data != nullptr) {
        bytes += graph.tensors[node.inputs[i]].bytes;
      }
    }
  }
  return bytes;
}

// The operators of a group, joined with '+'; null when there is no memory.
const char* join_ops(const mdl_graph& graph, const mdl_group& group, Arena& arena) {
  if (group.node_count == 1) return graph.nodes[group.nodes[0]].op;
  const auto write = [&](char* buffer, size_t size) {
    Text text(buffer, size);
    for (size_t n = 0; n < group.node_count; ++n) {
      text << (n > 0 ? "+" : "") << graph.nodes[group.nodes[n]].op;
    }
    return text.needed();
  };
  const size_t bytes = write(nullptr, 0);
  char* ops = arena.make<char>(bytes);
  if (ops != nullptr) write(ops, bytes);
  return ops;
}

mdl_status sum_up(Arena& arena, Program* program, mdl_error* error) {
  for (Step& step : program->steps) {
    const mdl_step& plan = step.plan;
    if (plan.args_bytes > kMostBytes - program->args_bytes ||
        plan.packed_bytes > kMostBytes - program->packed_bytes || plan.scratch_bytes > kMostBytes) {
      return fail(error, MDL_ERROR_LIMIT, "step '", program->graph.nodes[step.group.nodes[0]].name,
                  "' (", plan.kernel, ") asks for more memory than there can be");
    }
    step.args_offset = program->args_bytes;
    step.packed_offset = program->packed_bytes;
    step.bytes = touched_bytes(program->graph, step);
    step.ops = join_ops(program->graph, step.group, arena);
    if (step.ops == nullptr) return fail_memory(error);
    step.first_call = program->max_phases;
    program->args_bytes += align_up(plan.args_bytes, MDL_ALIGNMENT);
    program->packed_bytes += align_up(plan.packed_bytes, MDL_ALIGNMENT);
    program->scratch_bytes =
        std::max(program->scratch_bytes, align_up(plan.scratch_bytes, MDL_ALIGNMENT));
    program->max_operands =
        std::max(program->max_operands, static_cast<uint32_t>(step.operand_count()));
    program->max_phases += plan.phase_count;
    if (step.control == nullptr) continue;
    for (const Program& body : step.control->bodies) {
      program->nesting = std::max(program->nesting, body.nesting + 1);
    }
  }
  for (size_t s = 0; s < program->graph.state_count; ++s) {
    const mdl_tensor& state = program->graph.tensors[program->graph.states[s].tensor];
    if (state.bytes > kMostBytes - program->state_bytes) {
      return fail(error, MDL_ERROR_LIMIT, "state '", state.name, "' of ", state.bytes,
                  " bytes makes the states larger than memory can be");
    }
    program->state_bytes += align_up(state.bytes, MDL_ALIGNMENT);
  }
  return MDL_OK;
}

mdl_status pack(std::byte* packed, Program* program, mdl_error* error) {
  program->packed = packed;
  for (Step& step : program->steps) {
    if (step.plan.packed_bytes == 0) continue;
    std::byte* at = packed + step.packed_offset;
    if (step.control != nullptr) {
      for (Program& body : step.control->bodies) {
        MDL_TRY(pack(at, &body, error));
        at += align_up(body.packed_bytes, MDL_ALIGNMENT);
      }
      continue;
    }
    const Instance& instance = program->backends[step.backend];
    mdl_error reason = MDL_ERROR_INIT;
    const mdl_status status =
        checked_status(instance.backend->pack == nullptr
                           ? fail(&reason, MDL_ERROR_BACKEND, "it has no pack")
                           : instance.backend->pack(instance.instance, &program->graph, &step.group,
                                                    &step.plan, at, &reason),
                       &reason);
    if (status != MDL_OK) {
      return fail(error, status, "packing node '", program->graph.nodes[step.group.nodes[0]].name,
                  "' for backend ", instance.backend->name, ": ",
                  static_cast<const char*>(reason.text));
    }
  }
  return MDL_OK;
}

// From the graph, options and backends to the places of all tensors.
mdl_status plan_steps(const PlaceOptions& options, Arena& arena, Program* program,
                      mdl_error* error) {
  program->dynamic = is_dynamic(program->graph);
  MDL_TRY(check_graph(program->graph, error));
  MDL_TRY(widen_constants(arena, &program->graph, error));
  {
    const Arena::Scope scope(arena);
    Uses uses;
    std::span<Step> placed;
    MDL_TRY(find_uses(program->graph, arena, &uses, error));
    MDL_TRY(place_nodes(program->graph, uses, program->backends, options, arena, &placed, error));
    MDL_TRY(plan_sharing(uses, placed, options.share_memory, arena, program, error));
    MDL_TRY(find_late(arena, program, error));
  }
  MDL_TRY(give_offsets(arena, program, error));
  return sum_up(arena, program, error);
}

}  // namespace

mdl_status plan_program(const mdl_graph& graph, const uint8_t* digest,
                        const mdl_program_options& options, bool share_memory, Arena& arena,
                        Program* program, mdl_error* error) {
  program->graph = graph;
  program->room = {SIZE_MAX, SIZE_MAX};
  if (digest != nullptr) std::memcpy(program->digest, digest, sizeof(program->digest));
  MDL_TRY(mark_kept(options.keep, arena, &program->graph, error));
  MDL_TRY(read_options(options, arena, program, error));
  MDL_TRY(open_backends(options, arena, program, error));
  const PlaceOptions place_options = {weakest_class(*program, options),
                                      options.placement == MDL_PLACEMENT_STRICT, program->closed,
                                      program, share_memory};
  MDL_TRY(plan_steps(place_options, arena, program, error));
  MDL_TRY(check_forced(program->steps, program->context.kernels, error));
  if (options.max_arena_bytes != 0 && program->arena_bytes > options.max_arena_bytes) {
    return fail(error, MDL_ERROR_LIMIT, "the arena takes ", program->arena_bytes,
                " bytes, max_arena_bytes is ", options.max_arena_bytes);
  }
  return MDL_OK;
}

mdl_status plan_body(const mdl_graph& graph, const PlaceOptions& options, const BodyRoom& room,
                     Arena& arena, Program* body, mdl_error* error) {
  body->graph = graph;
  body->is_body = true;
  body->room = room;
  body->context = options.program->context;
  body->backends = options.program->backends;
  body->closed = options.program->closed;
  return plan_steps(options, arena, body, error);
}

mdl_status pack_program(Arena& arena, Program* program, mdl_error* error) {
  if (program->packed_bytes == 0) return MDL_OK;
  std::byte* packed = arena.make<std::byte>(program->packed_bytes);
  if (packed == nullptr) return fail_memory(error);
  return pack(packed, program, error);
}

const char* step_backend(const Program& program, const Step& step) {
  return step.control != nullptr ? "core" : program.backends[step.backend].backend->name;
}

void close_program(Program& program) { close_backends(program); }

void list_names(const mdl_graph& graph, uint32_t flags, NameList& names) {
  for (size_t t = 0; t < graph.tensor_count; ++t) {
    const mdl_tensor& tensor = graph.tensors[t];
    if (tensor.data != nullptr || (flags != 0 && (tensor.flags & flags) == 0)) continue;
    names.add(tensor.name);
  }
}

size_t tensor_bytes(mdl_dtype dtype, const mdl_shape& shape) {
  size_t elements = 1;
  for (uint32_t d = 0; d < shape.rank; ++d) elements *= static_cast<size_t>(shape.dims[d]);
  return (elements * mdl_dtype_bits(dtype) + 7) / 8;
}

}  // namespace medulla
