// SPDX-License-Identifier: Apache-2.0
// A program: a graph placed on backends, with its steps, their packed constants and the places of
// all tensors. Immutable once built; what changes from run to run is in the session.
#ifndef MEDULLA_SRC_GRAPH_PROGRAM_H_
#define MEDULLA_SRC_GRAPH_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "medulla/backend.h"
#include "src/base/arena.h"
#include "src/base/text.h"

namespace medulla {

enum class StorageKind : uint8_t { constant, input, output, state, arena };

// A piece of memory that one or more tensors lie in.
struct Storage {
  StorageKind kind = StorageKind::arena;
  int32_t index = -1;  // of the input, output or state
  int32_t first = 0;   // the steps between which it is in use, both included; the number of
  int32_t last = 0;    // steps stands for the end of the run
  size_t bytes = 0;    // at the maximum shapes
  size_t offset = 0;   // in the session's arena; inputs and outputs have their place there too
  const void* constant = nullptr;
};

// Where a tensor lies.
struct Place {
  int32_t storage = -1;  // -1: nowhere, inside a fused step or never needed
  int64_t pitch = 0;     // elements from row to row; 0: dense
  size_t offset = 0;     // bytes from the storage's start
};

struct Instance {
  const mdl_backend* backend;
  void* instance;
};

struct Control;

struct Step {
  mdl_group group;
  mdl_step plan;
  uint32_t backend;      // index into Program::backends
  size_t args_offset;    // in the session's block of arguments
  size_t packed_offset;  // in Program::packed
  uint64_t bytes;        // read and written at the maximum shapes, constants included
  const char* refusals;  // why backends that come first did not take it; "" when none
  const char* ops;       // its operators, joined with '+'
  uint32_t first_call;   // how many phases the steps before it have
  bool late;             // an operand's extents are known only when a step before it has run
  Control* control;      // the plan of a step that runs graphs; null for one of a backend
  int32_t room;          // of such a step: the storage that its bodies share

  size_t operand_count() const { return group.input_count + group.output_count; }
  int32_t operand(size_t i) const {
    return i < group.input_count ? group.inputs[i] : group.outputs[i - group.input_count];
  }
};

// What became of a node that is no step's.
enum NodeFate : int32_t {
  kNodeUnused = -1,  // nothing needs its outputs, or they are constants of the program
  kNodeView = -2,    // its output is its input's bytes under another shape
  kNodePlaced = -3,  // a concatenation whose parts are made in place
};

// Which inputs and outputs of a body have memory of their own; it is bound to the others'.
struct BodyRoom {
  size_t inputs;   // those before
  size_t outputs;  // the same
};

struct Program {
  mdl_graph graph;  // the model's, with the tensors to keep marked
  bool is_body;     // of a node of another program, whose backends it uses
  BodyRoom room;
  uint32_t nesting;  // how many bodies stand in one another below it
  uint8_t digest[32];
  mdl_backend_context context;
  std::span<Instance> backends;
  const char* closed;  // those that were wanted and do not open, as refusals; "" when none
  std::span<Step> steps;
  std::span<Storage> storages;
  std::span<Place> places;       // of each tensor
  std::span<int32_t> node_step;  // of each node: its step, or a NodeFate
  const std::byte* packed;

  bool dynamic;  // a tensor's shape may change
  // The steps before the first whose outputs' extents depend on values; all, when there is none.
  size_t early_steps;
  std::span<int32_t> late_nodes;  // whose outputs' shapes depend on such steps, theirs included
  uint32_t max_operands;
  uint32_t max_phases;  // of all steps together
  size_t packed_bytes;
  size_t args_bytes;
  size_t scratch_bytes;  // of one thread
  size_t arena_bytes;
  size_t arena_bound_bytes;
  size_t state_bytes;
};

// The greatest stack that a session's run takes: MDL_STEP_STACK_BYTES for the step, and the
// executor's own frames.
constexpr size_t kRunStackBytes = MDL_STEP_STACK_BYTES + 4096;

// What each body that stands in another adds to it.
constexpr size_t kBodyStackBytes = 2048;
inline size_t run_stack_bytes(const Program& program) {
  return kRunStackBytes + program.nesting * kBodyStackBytes;
}

// Plans `*program`, zeroed before, in `arena`; share_memory = false: neither in-place steps nor
// concatenation by placement. On failure and for a program that was planned, close_program has to
// be called before the arena goes.
mdl_status plan_program(const mdl_graph& graph, const uint8_t* digest,
                        const mdl_program_options& options, bool share_memory, Arena& arena,
                        Program* program, mdl_error* error);
// Packs the constants of a program that was planned, and of its bodies.
mdl_status pack_program(Arena& arena, Program* program, mdl_error* error);
void close_program(Program& program);

struct PlaceOptions;
// The program of a body, with the options and on the backends of the program that it stands in.
mdl_status plan_body(const mdl_graph& graph, const PlaceOptions& options, const BodyRoom& room,
                     Arena& arena, Program* body, mdl_error* error);

// Sets early_steps, late_nodes and Step::late.
mdl_status find_late(Arena& arena, Program* program, mdl_error* error);

// Bytes of a dense tensor.
size_t tensor_bytes(mdl_dtype dtype, const mdl_shape& shape);

// The tensors that have one of the flags, all when flags is 0, but for constants.
void list_names(const mdl_graph& graph, uint32_t flags, NameList& names);
// Which backend runs a step; "core" for one that runs graphs.
const char* step_backend(const Program& program, const Step& step);

// The plan in words; returns the bytes of the whole text, its zero byte included.
size_t plan_text(const Program& program, char* text, size_t size);
size_t plan_json(const Program& program, char* text, size_t size);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_PROGRAM_H_
