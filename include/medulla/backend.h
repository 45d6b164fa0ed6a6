// SPDX-License-Identifier: Apache-2.0
/// @file backend.h
/// The plug-in C ABI that every backend implements, the library's own `cpu` and `reference` too.
///
/// The core plans all memory and order; a backend plans steps. For one program the core calls
///
///   1. open
///   2. for each node that nobody has taken, in order:
///        fuse -> a group, supports -> yes, or no and the reason, plan -> a step
///   3. for each step: pack
///   4. for each session, each step: resize, bind; both again when shapes or pointers change, never
///      while the step runs
///   5. in each mdl_session_run, each step, each phase: run on ranges of rows; explain if it failed
///   6. close
///
/// Ownership: everything that is handed to a backend lives until `close`, except `mdl_error` and
/// arguments that are said to live for the call. What `plan` allocates with mdl_host.allocate lives
/// as long as the program and is never released by the backend. `resize`, `bind` and `run` are
/// given their memory and allocate nothing.
///
/// Threads: functions up to `pack` are called by one thread at a time for one instance. `resize`
/// and `bind` may be called by several threads at once, for several sessions; `run` too, on
/// disjoint rows of one step, each with its own scratch, and on steps of several sessions.
///
/// Versions: mdl_backend.abi is MDL_BACKEND_ABI of the header that the backend was compiled with;
/// the core refuses another. A struct with a struct_size grows at its end, others with the ABI.
#ifndef MEDULLA_BACKEND_H_
#define MEDULLA_BACKEND_H_

#include "medulla/medulla.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MDL_BACKEND_ABI 1

// ------------------------------------------------------------------------------------- the graph

typedef enum mdl_attribute_type {
  MDL_ATTRIBUTE_INT = 0,
  MDL_ATTRIBUTE_FLOAT = 1,
  MDL_ATTRIBUTE_STRING = 2,
  MDL_ATTRIBUTE_INTS = 3,
  MDL_ATTRIBUTE_FLOATS = 4,
  MDL_ATTRIBUTE_STRINGS = 5,
  MDL_ATTRIBUTE_GRAPH = 6,
} mdl_attribute_type;

struct mdl_graph;

typedef struct mdl_attribute {
  const char* name;
  mdl_attribute_type type;
  size_t count;  ///< of ints, floats or strings
  int64_t i;
  double f;
  const char* s;
  const int64_t* ints;
  const double* floats;
  const char* const* strings;
  const struct mdl_graph* graph;
} mdl_attribute;

/// Bits of mdl_tensor.flags.
enum {
  MDL_TENSOR_INPUT = 1,    ///< an input of the graph
  MDL_TENSOR_OUTPUT = 2,   ///< an output of the graph
  MDL_TENSOR_STATE = 4,    ///< read from a state
  MDL_TENSOR_WRITTEN = 8,  ///< committed to a state at the end of a run
  MDL_TENSOR_KEEP = 16,    ///< asked for by name; has to exist after the run
};

/// What is known of a tensor before any run. Image tensors are channels-last (NHWC, NLC).
typedef struct mdl_tensor {
  const char* name;
  mdl_dtype dtype;
  uint32_t rank;
  int64_t dims[MDL_MAX_RANK];         ///< a dynamic dimension's maximum
  const char* symbols[MDL_MAX_RANK];  ///< null: static; one symbol is one extent at run time
  mdl_quantization quantization;      ///< count 0: none
  const void* data;                   ///< the constant's bytes, aligned to 64; null: not a constant
  size_t bytes;                       ///< of the dense tensor at dims
  int32_t producer;                   ///< the node that makes it; -1: none
  int32_t consumer;                   ///< the first node that reads it; -1: none
  uint32_t consumer_count;            ///< how many node inputs read it
  uint32_t flags;
} mdl_tensor;

typedef struct mdl_node {
  const char* name;
  const char* op;
  uint32_t version;
  uint32_t attribute_count;
  uint32_t input_count;
  uint32_t output_count;
  const mdl_attribute* attributes;
  const int32_t* inputs;   ///< tensor indices; -1: left out
  const int32_t* outputs;  ///< tensor indices; -1: left out
} mdl_node;

typedef enum mdl_state_kind {
  MDL_STATE_REPLACE = 0,
  MDL_STATE_APPEND = 1,
} mdl_state_kind;

typedef struct mdl_state {
  int32_t tensor;
  int32_t written;
  mdl_state_kind kind;
  int32_t axis;
  const void* initial;  ///< null: zeros
} mdl_state;

/// A verified graph: every index is in range, nodes stand in execution order, shapes and dtypes
/// agree with each operator's rules.
typedef struct mdl_graph {
  const char* name;
  const mdl_tensor* tensors;
  const mdl_node* nodes;
  const int32_t* inputs;
  const int32_t* outputs;
  const mdl_state* states;
  size_t tensor_count;
  size_t node_count;
  size_t input_count;
  size_t output_count;
  size_t state_count;
} mdl_graph;

/// Nodes that run as one step. `inputs` are the tensors, constants left out, that its nodes read
/// and do not make, each once, in order of first use; `outputs` those that its nodes make and none
/// of them reads. These two lists, one behind the other, are the step's operands.
typedef struct mdl_group {
  const int32_t* nodes;  ///< ascending
  size_t node_count;
  const int32_t* inputs;
  size_t input_count;
  const int32_t* outputs;
  size_t output_count;
} mdl_group;

// ------------------------------------------------------------------------------------- the steps

/// What a step promises of its numbers (docs/numerics.md).
typedef enum mdl_numerics_class {
  MDL_CLASS_EXACT = 0,     ///< the specified bytes
  MDL_CLASS_BOUNDED = 1,   ///< within a derived bound of them
  MDL_CLASS_MEASURED = 2,  ///< no promise
} mdl_numerics_class;

/// What a program's options and the machine say. Lives as long as the instance.
typedef struct mdl_backend_context {
  size_t struct_size;
  uint64_t isa;           ///< the ISA set as bits, for the library's own backends
  const char* isa_names;  ///< the same as names, comma-separated
  mdl_numerics numerics;  ///< EXACT or FAST
  mdl_precision precision;
  const char* kernels;  ///< forced rows, "family=row,..."; "" when none
  uint64_t l1d_bytes;   ///< data caches of one core; 0 when not known
  uint64_t l2_bytes;
  uint64_t l3_bytes;
  uint64_t memory_budget;  ///< 0: none
} mdl_backend_context;

/// Memory that lives as long as the program, zeroed; null when there is none, or for an alignment
/// above MDL_ALIGNMENT.
typedef struct mdl_host {
  size_t struct_size;
  void* context;
  void* (*allocate)(void* context, size_t size, size_t alignment);
} mdl_host;

typedef struct mdl_shape {
  uint32_t rank;
  int64_t dims[MDL_MAX_RANK];
} mdl_shape;

/// Where an operand lies: the tensor's rows (its last dimension) stand `pitch` elements apart. A
/// dense tensor's pitch is its last dimension, a scalar's is 1. `data` is aligned to 64, unless the
/// tensor is made inside a larger one, by concatenation: then to its element.
typedef struct mdl_operand {
  void* data;
  int64_t pitch;
} mdl_operand;

/// A step whose output rows [b, e) need the rows [b * stride - before, e * stride + after) of its
/// first input, cut at the input's edges. stride = 0: the step needs its whole input. Not
/// read yet.
typedef struct mdl_stripe {
  uint32_t stride;
  uint32_t before;
  uint32_t after;
} mdl_stripe;

#define MDL_MAX_PHASES 4
/// The operands that `strided` and `in_place` can speak of; a group may have more, which are then
/// dense and apart.
#define MDL_MAX_OPERANDS 32
/// The most stack that `run` may use: mdl_memory_need.stack_bytes is this and the core's own.
#define MDL_STEP_STACK_BYTES 16384

/// A planned step. Filled by `plan`, which is given it zeroed; read by the core.
typedef struct mdl_step {
  size_t struct_size;
  const char* kernel;  ///< the kernel's row, or what the backend calls it; static
  void* data;          ///< the backend's plan of the step, from mdl_host.allocate; may be null
  mdl_numerics_class numerics;
  uint32_t phase_count;  ///< at least 1; a phase starts when the one before has ended on all rows
  /// Does rows [begin, end) of a phase. `scratch` is scratch_bytes of this thread's own, aligned to
  /// 64, with undefined contents. No allocation, no lock, no system call in backends of class
  /// exact.
  mdl_status (*run)(const void* args, uint32_t phase, int64_t begin, int64_t end, void* scratch);
  size_t args_bytes;     ///< the step's memory in a session, written by resize and bind
  size_t scratch_bytes;  ///< of one thread, at the maximum shape
  size_t packed_bytes;   ///< what pack writes
  size_t device_bytes;   ///< what a device holds beyond all this; not read yet
  uint64_t macs;         ///< at the maximum shape
  uint32_t row_grain;    ///< ranges of rows are split at multiples of this; 0 and 1: anywhere
  /// Bit i: operand i may have a pitch above its last dimension.
  uint32_t strided;
  /// For output number o (o < 4): bit i: it may lie on input i, same address, same pitch.
  uint32_t in_place[4];
  mdl_stripe stripe;
  /// Of a step whose outputs' extents depend on values (NonZero): shapes[o] comes as `resize` had
  /// it and is set to what the run that has just ended found of output o, no extent above what
  /// came. Null: all extents are known before.
  void (*found)(const void* args, mdl_shape* shapes);
} mdl_step;

/// Sets rows[p] for each phase p: how many rows the phase has at these shapes.
typedef struct mdl_rows {
  int64_t rows[MDL_MAX_PHASES];
} mdl_rows;

typedef struct mdl_backend {
  size_t struct_size;
  uint32_t abi;
  mdl_numerics_class numerics;  ///< the weakest class that its steps may have
  const char* name;             ///< as in mdl_program_options.backends
  const char* version;
  const char* device;  ///< for people: "x86-64 CPU"

  /// Starts an instance for one program. Optional: null means no instance. BACKEND when the device
  /// is not there.
  mdl_status (*open)(const mdl_backend_context* context, const mdl_host* host, void** instance,
                     mdl_error* error);
  /// Ends it, after the last session. Optional.
  void (*close)(void* instance);

  /// Proposes the group that starts with `node`: writes node itself and later nodes that are to run
  /// with it, ascending, and returns their number, at least 1 and at most `capacity`. A tensor
  /// between two members may not be needed elsewhere (consumers, flags), and no path may lead out
  /// of the group and back. `taken[n]` is 1 for nodes that are spoken for. Optional: null means the
  /// node alone. The core offers the node alone when `supports` refuses the group.
  size_t (*fuse)(void* instance, const mdl_graph* graph, int32_t node, const uint8_t* taken,
                 int32_t* members, size_t capacity);

  /// Whether it can run the group. MDL_OK, or UNSUPPORTED with the reason in `error` (never null),
  /// in words for the plan: "dilation with stride > 1"; any other status ends the making of the
  /// program. `group` lives for the call, here and below. Writes nothing else.
  mdl_status (*supports)(void* instance, const mdl_graph* graph, const mdl_group* group,
                         mdl_error* error);

  /// Fills `step` for a group that is supported. UNSUPPORTED is a refusal, as from `supports`.
  mdl_status (*plan)(void* instance, const mdl_graph* graph, const mdl_group* group,
                     const mdl_host* host, mdl_step* step, mdl_error* error);

  /// Writes the step's packed constants, packed_bytes at `packed`, aligned to 64. Position
  /// independent. Optional when packed_bytes is always 0.
  mdl_status (*pack)(void* instance, const mdl_graph* graph, const mdl_group* group,
                     const mdl_step* step, void* packed, mdl_error* error);

  /// Proves bytes from a file as safe and right to run as pack's own. Not called yet, for no file
  /// holds packed constants. Optional: null means that stored ones are never used.
  mdl_status (*check_packed)(void* instance, const mdl_graph* graph, const mdl_group* group,
                             const mdl_step* step, const void* packed, size_t bytes,
                             mdl_error* error);

  /// Sets what depends on shapes in `args`, which is zeroed before the first call: shapes[i] is
  /// operand i's, for the call, within its declared maximum. Sets *rows.
  mdl_status (*resize)(void* instance, const mdl_step* step, const mdl_shape* shapes, void* args,
                       mdl_rows* rows, mdl_error* error);

  /// Sets what depends on pointers in `args`, after resize. operands live for the call. `packed` as
  /// written by pack.
  mdl_status (*bind)(void* instance, const mdl_step* step, const mdl_operand* operands,
                     const void* packed, void* args, mdl_error* error);

  // Experimental from here on: for devices that work on their own time and in their own memory. Not
  // called yet: such a backend has to do its work in `run`. May change until one is part of
  // Medulla. Null for a backend that has none.

  /// Starts a phase and returns; `wait` returns when all that was submitted has ended.
  mdl_status (*submit)(void* instance, const mdl_step* step, const void* args, uint32_t phase);
  mdl_status (*wait)(void* instance);
  /// Memory that the device reaches without a copy, for operands; null: it takes the host's.
  void* (*allocate_shared)(void* instance, size_t size, size_t alignment);
  void (*release_shared)(void* instance, void* pointer, size_t size);
  /// MDL_OK, or BACKEND once the device is lost; every session of the program is then at its end.
  mdl_status (*device_status)(void* instance, mdl_error* error);

  // No longer experimental.

  /// Why `run` has just failed on these args: the value that was wrong and what would be right, in
  /// words that go behind the node's name. Called by the thread of mdl_session_run when no thread
  /// is in the step's `run` any more. Allocates nothing. Optional: null means that the status has
  /// to do.
  void (*explain)(void* instance, const mdl_step* step, const void* args, mdl_error* error);
} mdl_backend;

// -------------------------------------------------------------------------------- shared objects

/// The symbol that a backend in a shared object exports; `abi` is the core's MDL_BACKEND_ABI.
/// Returns null when the object cannot serve that version.
typedef const mdl_backend* (*mdl_backend_entry_fn)(uint32_t abi);
#define MDL_BACKEND_ENTRY "mdl_backend_entry"

typedef struct mdl_backend_library mdl_backend_library;

/// Loads a backend from a shared object by path. `backend` lives until mdl_backend_unload, which
/// has to come after the last program that uses it. Statuses: INVALID_ARGUMENT, IO (the text
/// carries the loader's reason), VERSION, NOT_BUILT (a system without a loader).
MDL_API mdl_status mdl_backend_load(const char* path, mdl_backend_library** library,
                                    const mdl_backend** backend, mdl_error* error);
/// Unloads what mdl_backend_load gave; takes null.
MDL_API void mdl_backend_unload(mdl_backend_library* library);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // MEDULLA_BACKEND_H_
