// SPDX-License-Identifier: Apache-2.0
/// @file medulla.h
/// The whole stable C API of Medulla, an inference runtime for medical devices at the edge.
///
/// Three objects, because they live differently:
///   - mdl_model    a verified model file, mapped read-only; may be shared by programs
///   - mdl_program  the plan and the packed weights for one ISA set; immutable; shared by sessions
///   - mdl_session  arena, state and scratch of one caller; one thread at a time
///
/// Conventions that hold for every function below unless its comment says otherwise:
///   - Status. A function that can fail returns mdl_status; nothing is printed, nothing aborts.
///     `error` may be null. When it is not, set error->struct_size = sizeof(mdl_error) first (or
///     use MDL_ERROR_INIT); on failure it receives the status and a text that names what was wrong
///     (mdl_model_open* the file, all of them node, tensor and value) and what would be right.
///     Output arguments are written only on MDL_OK.
///   - Options. An option struct begins with struct_size. Pass null for the defaults, or a struct
///     that was set to zero but for struct_size (use the *_INIT macros): zero is every field's
///     default. A struct of an older header may be shorter; one of a newer header may be longer as
///     long as what this library does not know is zero. INVALID_ARGUMENT for a struct_size that is
///     not set, VERSION for a longer struct with more than zeros.
///   - Ownership. Strings and arrays that are returned belong to the object they were asked of and
///     live as long as it. A close or destroy function takes null.
///   - Threads. There is no global state. Any number of threads may use a model or a program at
///     once; one at a time a session, except for mdl_session_cancel.
///   - Floating point. The caller's rounding mode, exception masks and flush modes change nothing,
///     and are as before when a function returns.
///   - Sizes are bytes, times are nanoseconds, shapes are in elements.
///   - Invalid handles (null where an object is required) give MDL_ERROR_INVALID_ARGUMENT.
#ifndef MEDULLA_MEDULLA_H_
#define MEDULLA_MEDULLA_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define MDL_API
#else
#define MDL_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MDL_VERSION_MAJOR 0
#define MDL_VERSION_MINOR 1
#define MDL_VERSION_PATCH 0

/// The greatest number of dimensions of a tensor.
#define MDL_MAX_RANK 8

/// The alignment, in bytes, of weight buffers in a file, of model blocks in memory, of blocks that
/// a caller hands in, and of tensors that a caller binds.
#define MDL_ALIGNMENT 64

/// What a function says of its success. Values are never reused or renumbered.
typedef enum mdl_status {
  MDL_OK = 0,
  MDL_ERROR_INVALID_ARGUMENT = 1,  ///< a null handle, an index out of range, a malformed option
  MDL_ERROR_OUT_OF_MEMORY = 2,     ///< the allocator refused, or the caller's block is too small
  MDL_ERROR_IO = 3,                ///< a file cannot be opened, read or mapped
  MDL_ERROR_BAD_MODEL = 4,         ///< the model file breaks a rule of the format
  MDL_ERROR_VERSION = 5,           ///< a format, numerics, operator or ABI version not known here
  MDL_ERROR_NOT_BUILT = 6,         ///< an operator or backend that this build leaves out
  MDL_ERROR_UNSUPPORTED = 7,       ///< valid, but no backend does it, or not as things are
  MDL_ERROR_SHAPE = 8,             ///< a tensor's rank, dimension or byte count is not right
  MDL_ERROR_DTYPE = 9,             ///< a tensor's element type is not right for the function
  MDL_ERROR_LIMIT = 10,            ///< a limit or budget that the caller set is exceeded
  MDL_ERROR_CANCELLED = 11,        ///< mdl_session_cancel stopped the run; state is as before it
  MDL_ERROR_BACKEND = 12,          ///< a backend or its device failed
  MDL_ERROR_NOT_FINITE = 13,       ///< a checked tensor holds NaN or infinity
  MDL_ERROR_STATE = 14,            ///< a saved state is not of this model, a state is full, or
                                   ///< there is no answer: no run yet, or the last one failed
  MDL_ERROR_DIGEST = 15,           ///< stored and computed digest differ: the bytes changed
  MDL_ERROR_NOT_FOUND = 16,        ///< no tensor, state, label or key of that name
  MDL_ERROR_INTERNAL = 17,         ///< a defect of Medulla or of a backend; please report it
} mdl_status;

/// The name of a status, such as "MDL_ERROR_SHAPE"; never null.
MDL_API const char* mdl_status_name(mdl_status status);

/// Where a failing function leaves its reason. Owned by the caller.
typedef struct mdl_error {
  size_t struct_size;  ///< sizeof(mdl_error)
  mdl_status status;
  char text[512];  ///< UTF-8, ends with a zero byte; cut when longer
} mdl_error;
#define MDL_ERROR_INIT               \
  {                                  \
    sizeof(mdl_error), MDL_OK, { 0 } \
  }

/// Element types. int4 and uint4 hold two elements a byte, the first in the low half.
typedef enum mdl_dtype {
  MDL_DTYPE_NONE = 0,
  MDL_BOOL = 1,
  MDL_INT4 = 2,
  MDL_UINT4 = 3,
  MDL_INT8 = 4,
  MDL_UINT8 = 5,
  MDL_INT16 = 6,
  MDL_UINT16 = 7,
  MDL_INT32 = 8,
  MDL_UINT32 = 9,
  MDL_INT64 = 10,
  MDL_UINT64 = 11,
  MDL_FLOAT16 = 12,
  MDL_BFLOAT16 = 13,
  MDL_FLOAT32 = 14,
  MDL_FLOAT64 = 15,
} mdl_dtype;

/// The name of a dtype, such as "float32"; "none" for a value that is not one.
MDL_API const char* mdl_dtype_name(mdl_dtype dtype);
/// Bits an element takes: 4 to 64; 0 for a value that is not a dtype. bool takes 8.
MDL_API uint32_t mdl_dtype_bits(mdl_dtype dtype);

/// MDL_VERSION_MAJOR * 1000000 + MDL_VERSION_MINOR * 1000 + MDL_VERSION_PATCH of the library that
/// is linked, to be compared with the header's.
MDL_API uint32_t mdl_version(void);

/// One line a fact: version, compiler, flags, options, backends, operators, kernel rows. Static.
MDL_API const char* mdl_build_info(void);

/// The instruction sets of this CPU as Medulla sees them, comma-separated, such as "avx2,avxvnni".
/// Writes at most `size` bytes, zero byte included; returns the bytes needed.
MDL_API size_t mdl_host_isa(char* text, size_t size);

/// Where memory comes from when the caller gives no block. Both functions may be called from the
/// thread that calls into Medulla only, and never by mdl_session_run. Neither may be null.
typedef struct mdl_allocator {
  void* context;
  /// Returns null when there is no memory. `alignment` is a power of two, at most 4096.
  void* (*allocate)(void* context, size_t size, size_t alignment);
  /// `size` and `alignment` are those of the allocation.
  void (*release)(void* context, void* pointer, size_t size, size_t alignment);
} mdl_allocator;

/// Memory that the caller owns and an object lives in; it has to outlive the object. `data` has to
/// be aligned to MDL_ALIGNMENT. data = null: the allocator is used.
typedef struct mdl_block {
  void* data;
  size_t size;
} mdl_block;

// ---------------------------------------------------------------------------------------- model

typedef struct mdl_model mdl_model;

typedef enum mdl_check {
  MDL_CHECK_HEADER = 0,  ///< structure, every semantic rule, and the header's digest
  MDL_CHECK_FULL = 1,    ///< that, and the digest of the weights, which reads every byte of them
} mdl_check;

typedef struct mdl_model_options {
  size_t struct_size;
  mdl_check check;
  /// 1: fault in and lock the mapped weights, so that no page fault waits in a run.
  /// MDL_ERROR_IO when the system refuses (see RLIMIT_MEMLOCK).
  uint32_t lock_memory;
  uint64_t max_file_bytes;    ///< 0: no limit but the file's own size
  uint32_t max_nodes;         ///< 0: 1,000,000
  uint32_t max_tensors;       ///< 0: 4,000,000
  uint64_t max_tensor_bytes;  ///< 0: 2^40; the greatest size of any tensor at its declared maximum
  const mdl_allocator* allocator;  ///< null: malloc; kept as a copy
  mdl_block block;                 ///< where the model's tables live; see mdl_model_memory_need
  uint32_t max_rank;               ///< 0: MDL_MAX_RANK; the greatest rank of any tensor
} mdl_model_options;
#define MDL_MODEL_OPTIONS_INIT \
  { sizeof(mdl_model_options), MDL_CHECK_HEADER, 0, 0, 0, 0, 0, NULL, {NULL, 0}, 0, }

/// Maps and verifies a model file. The file has to stay as it is while the model is open.
/// Statuses: INVALID_ARGUMENT, IO, BAD_MODEL, VERSION, NOT_BUILT, UNSUPPORTED (an operator that is
/// not known), LIMIT, DIGEST, OUT_OF_MEMORY.
MDL_API mdl_status mdl_model_open(const char* path, const mdl_model_options* options,
                                  mdl_model** model, mdl_error* error);

/// The same for a block of memory, which is used in place: it has to be aligned to MDL_ALIGNMENT
/// and to outlive the model. Statuses: as mdl_model_open; IO for lock_memory alone.
MDL_API mdl_status mdl_model_open_memory(const void* data, size_t size,
                                         const mdl_model_options* options, mdl_model** model,
                                         mdl_error* error);

/// The size of the block that mdl_model_open_memory, or mdl_model_open of a file of these bytes,
/// needs. Allocates nothing. Statuses: as mdl_model_open_memory.
MDL_API mdl_status mdl_model_memory_need(const void* data, size_t size,
                                         const mdl_model_options* options, size_t* bytes,
                                         mdl_error* error);

/// Ends the model; takes null. Every program of the model must be destroyed first.
MDL_API void mdl_model_close(mdl_model* model);

/// Affine quantisation, real = scale * (q - zero_point). count is 0 (none), 1 (per tensor), or the
/// extent of dimension `axis` (per channel).
typedef struct mdl_quantization {
  size_t count;
  const float* scales;
  const int32_t* zero_points;
  int32_t axis;
} mdl_quantization;

/// What an input, an output or a state looks like.
typedef struct mdl_tensor_info {
  size_t struct_size;  ///< set by the caller
  const char* name;
  mdl_dtype dtype;
  uint32_t rank;
  int64_t dims[MDL_MAX_RANK];  ///< a dynamic dimension's declared maximum
  uint32_t dynamic;            ///< bit d: dimension d may be smaller
  size_t bytes;                ///< of the dense tensor at dims
  mdl_quantization quantization;
} mdl_tensor_info;
#define MDL_TENSOR_INFO_INIT                                                          \
  {                                                                                   \
    sizeof(mdl_tensor_info), NULL, MDL_DTYPE_NONE, 0, {0}, 0, 0, { 0, NULL, NULL, 0 } \
  }

/// How many inputs the model has; 0 for null.
MDL_API size_t mdl_model_input_count(const mdl_model* model);
/// How many outputs the model has; 0 for null.
MDL_API size_t mdl_model_output_count(const mdl_model* model);
/// How many states the model has; 0 for null.
MDL_API size_t mdl_model_state_count(const mdl_model* model);

/// Describes input `index`, in the file's order; what *info points at is the model's. Statuses:
/// INVALID_ARGUMENT (index out of range; info null or its struct_size not set).
MDL_API mdl_status mdl_model_input(const mdl_model* model, size_t index, mdl_tensor_info* info,
                                   mdl_error* error);
/// The same for an output.
MDL_API mdl_status mdl_model_output(const mdl_model* model, size_t index, mdl_tensor_info* info,
                                    mdl_error* error);
/// The same for a state.
MDL_API mdl_status mdl_model_state(const mdl_model* model, size_t index, mdl_tensor_info* info,
                                   mdl_error* error);

/// The index of the input of that name. Statuses: INVALID_ARGUMENT, NOT_FOUND (the text lists the
/// names).
MDL_API mdl_status mdl_model_find_input(const mdl_model* model, const char* name, size_t* index,
                                        mdl_error* error);
/// The same for an output.
MDL_API mdl_status mdl_model_find_output(const mdl_model* model, const char* name, size_t* index,
                                         mdl_error* error);

/// The value of "name", of "producer", or of a pair that the file carries, UTF-8. Null when there
/// is no such key.
MDL_API const char* mdl_model_metadata(const mdl_model* model, const char* key);
/// How many pairs the file carries, name and producer not counted; 0 for null.
MDL_API size_t mdl_model_metadata_count(const mdl_model* model);
/// The key of pair `index`; null when it is out of range.
MDL_API const char* mdl_model_metadata_key(const mdl_model* model, size_t index);
/// The value of pair `index`; null when it is out of range.
MDL_API const char* mdl_model_metadata_value(const mdl_model* model, size_t index);

/// How many labels output `output` has; 0 when the file has none for it.
MDL_API size_t mdl_model_label_count(const mdl_model* model, size_t output);
/// The label of element `index` of that output, UTF-8; null when there is none.
MDL_API const char* mdl_model_label(const mdl_model* model, size_t output, size_t index);

/// How raw values become the input: fed = (raw - offset[c]) * scale[c], with one value for all
/// channels or one each. `layout` is "NHWC", "NCHW", "NCL", "NLC" or "".
typedef struct mdl_preprocessing {
  size_t struct_size;  ///< set by the caller
  const char* layout;
  size_t count;  ///< of scale and offset; 0: the file says nothing
  const float* scale;
  const float* offset;
} mdl_preprocessing;
#define MDL_PREPROCESSING_INIT \
  { sizeof(mdl_preprocessing), NULL, 0, NULL, NULL }
/// What the file says of the preprocessing of input `input`; the arrays are the model's. Statuses:
/// INVALID_ARGUMENT (index out of range; its struct_size not set).
MDL_API mdl_status mdl_model_preprocessing(const mdl_model* model, size_t input,
                                           mdl_preprocessing* preprocessing, mdl_error* error);

/// The 32 bytes of the file's header digest (SHA-256), which covers the weights' digest too.
MDL_API const uint8_t* mdl_model_digest(const mdl_model* model);

// -------------------------------------------------------------------------------------- program

typedef struct mdl_program mdl_program;
struct mdl_backend;  // backend.h

typedef enum mdl_numerics {
  MDL_NUMERICS_AUTO = 0,   ///< exact when the model has an integer node, fast otherwise
  MDL_NUMERICS_EXACT = 1,  ///< only kernels that give the specified bytes
  MDL_NUMERICS_FAST = 2,   ///< kernels of class bounded too
} mdl_numerics;

typedef enum mdl_precision {
  MDL_PRECISION_MODEL = 0,  ///< compute as the model says
  MDL_PRECISION_LOW = 1,    ///< native binary16 where a kernel has it; AUTO is fast, EXACT refused
} mdl_precision;

typedef enum mdl_placement {
  MDL_PLACEMENT_FALLBACK = 0,  ///< a node goes to the first backend that takes it; the library's
                               ///< own backends, cpu and reference, stand behind the named ones
  MDL_PLACEMENT_STRICT = 1,    ///< a node that no named backend takes is an error
} mdl_placement;

typedef struct mdl_program_options {
  size_t struct_size;
  /// The instruction sets that kernels may use, comma-separated ("avx2", "avx2,avxvnni",
  /// "portable", "all"); null: all of the host; "": as "portable". It only narrows what there is.
  const char* isa;
  /// Names of backends in order of preference, comma-separated; null or "": all that are built in.
  const char* backends;
  mdl_placement placement;
  mdl_numerics numerics;
  mdl_precision precision;
  uint64_t memory_budget;  ///< program plus one session, bytes; 0: none; more is MDL_ERROR_LIMIT
  /// Kernel rows to force, "family=row,family=row"; null: the selector decides. A row that no
  /// step runs, because it does not fit or there is none, is MDL_ERROR_UNSUPPORTED with the reason.
  const char* kernels;
  /// Names of tensors to keep readable after a run, comma-separated: nothing is fused across them
  /// and their memory is not reused. See mdl_session_tensor.
  const char* keep;
  /// Backends that are not built in, tried by the names they carry; their code has to outlive the
  /// program. See backend.h and mdl_backend_load.
  const struct mdl_backend* const* extra_backends;
  size_t extra_backend_count;
  const mdl_allocator* allocator;  ///< null: malloc; kept as a copy
  mdl_block block;                 ///< see mdl_program_memory_need
  uint64_t max_arena_bytes;        ///< 0: none; a larger mdl_memory_need.arena_bytes is LIMIT
} mdl_program_options;
#define MDL_PROGRAM_OPTIONS_INIT                                                        \
  {                                                                                     \
    sizeof(mdl_program_options), NULL, NULL, MDL_PLACEMENT_FALLBACK, MDL_NUMERICS_AUTO, \
        MDL_PRECISION_MODEL, 0, NULL, NULL, NULL, 0, NULL, {NULL, 0}, 0,                \
  }

/// What a program and one session on it take, in bytes.
typedef struct mdl_memory_need {
  size_t struct_size;    ///< set by the caller
  size_t program_bytes;  ///< block for mdl_program_create: plan, packed weights, planning space
  size_t session_bytes;  ///< block for mdl_session_create with one thread
  size_t packed_bytes;   ///< of program_bytes: packed weights
  size_t arena_bytes;    ///< of session_bytes: inputs, outputs and intermediate tensors
  size_t
      arena_bound_bytes;  ///< the largest sum of live tensors at any step: no plan can be smaller
  size_t scratch_bytes;   ///< of session_bytes: one thread's scratch
  size_t state_bytes;     ///< of session_bytes: state tensors
  size_t stack_bytes;     ///< an upper bound of the stack that mdl_session_run uses
} mdl_memory_need;
#define MDL_MEMORY_NEED_INIT \
  { sizeof(mdl_memory_need), 0, 0, 0, 0, 0, 0, 0, 0 }

/// Plans, places, packs. `model` has to outlive the program. A named backend that does not open is
/// passed over, and the plan says why; with strict placement it is an error (BACKEND).
/// Statuses: INVALID_ARGUMENT, VERSION (options or a backend's ABI), NOT_BUILT, UNSUPPORTED, LIMIT,
/// BACKEND, OUT_OF_MEMORY, NOT_FOUND (a tensor to keep; the text lists those that there are).
MDL_API mdl_status mdl_program_create(const mdl_model* model, const mdl_program_options* options,
                                      mdl_program** program, mdl_error* error);

/// What mdl_program_create and mdl_session_create would need. Plans as they do, with the allocator,
/// and packs nothing; memory_budget and max_arena_bytes limit no answer. Statuses: as
/// mdl_program_create.
MDL_API mdl_status mdl_program_memory_need(const mdl_model* model,
                                           const mdl_program_options* options,
                                           mdl_memory_need* need, mdl_error* error);

/// Ends the program; takes null. Every session of the program must be destroyed first.
MDL_API void mdl_program_destroy(mdl_program* program);

typedef enum mdl_plan_format {
  MDL_PLAN_TEXT = 0,
  MDL_PLAN_JSON = 1,
} mdl_plan_format;

/// The plan: for each step its operator, backend and why the others did not take it, kernel,
/// shapes, MACs and bytes (all at the declared maxima), arena offset. Writes at most `size` bytes,
/// zero byte included, and always sets *needed to the bytes of the whole text. Statuses:
/// INVALID_ARGUMENT.
MDL_API mdl_status mdl_program_plan(const mdl_program* program, mdl_plan_format format, char* text,
                                    size_t size, size_t* needed, mdl_error* error);

/// How many steps a run has, and mdl_session_profile visits; 0 for null.
MDL_API size_t mdl_program_step_count(const mdl_program* program);

// -------------------------------------------------------------------------------------- session

typedef struct mdl_session mdl_session;

/// A thread pool of the host. Medulla then creates no thread.
typedef struct mdl_thread_pool {
  void* context;
  size_t threads;  ///< how many tasks may run at once, the calling thread included
  /// Calls task(argument, i) once for every i in [0, count), and returns when all have returned.
  void (*run)(void* context, void (*task)(void* argument, size_t index), void* argument,
              size_t count);
} mdl_thread_pool;

typedef struct mdl_session_options {
  size_t struct_size;
  uint32_t threads;             ///< 0 and 1: the calling thread alone; no lock is taken
  const mdl_thread_pool* pool;  ///< null: `threads` of Medulla's own; kept as a copy
  uint32_t profile;             ///< 1: measure every step; see mdl_session_profile
  /// 1: NaN or infinity in a float input, or in a step's float output, is an error of the run; in
  /// values for an input of integers, of mdl_session_set_input.
  uint32_t check_finite;
  const mdl_allocator* allocator;  ///< null: malloc; kept as a copy
  mdl_block block;                 ///< see mdl_session_memory_need
} mdl_session_options;
#define MDL_SESSION_OPTIONS_INIT                                  \
  {                                                               \
    sizeof(mdl_session_options), 0, NULL, 0, 0, NULL, { NULL, 0 } \
  }

/// `program` has to outlive the session. Nothing is allocated after this returns.
/// Statuses: INVALID_ARGUMENT, VERSION (options), OUT_OF_MEMORY, LIMIT (larger than memory can be),
/// SHAPE (the declared maxima do not fit each other), BACKEND, NOT_BUILT (threads in a build
/// without).
MDL_API mdl_status mdl_session_create(const mdl_program* program,
                                      const mdl_session_options* options, mdl_session** session,
                                      mdl_error* error);

/// The size of the block that mdl_session_create needs with these options; it is exact.
/// Statuses: INVALID_ARGUMENT, VERSION (options), LIMIT (larger than memory can be).
MDL_API mdl_status mdl_session_memory_need(const mdl_program* program,
                                           const mdl_session_options* options, size_t* bytes,
                                           mdl_error* error);

/// Ends the session; takes null. No run may be in progress.
MDL_API void mdl_session_destroy(mdl_session* session);

/// The memory of an input, to be written before a run, dense, in the tensor's own dtype; `bytes`,
/// which may be null, receives its size at the current shape. Valid until the session is destroyed;
/// after a bind it is the caller's buffer. What was never written is zeros: that an input was
/// forgotten cannot be seen. Statuses: INVALID_ARGUMENT.
MDL_API mdl_status mdl_session_input(mdl_session* session, size_t index, void** data, size_t* bytes,
                                     mdl_error* error);
/// The same for an output, to be read after a run; it keeps its values until the next. Before the
/// first run it is zeros, after one that failed of no use.
MDL_API mdl_status mdl_session_output(mdl_session* session, size_t index, const void** data,
                                      size_t* bytes, mdl_error* error);

/// Makes the session read an input from a buffer of the caller, which has to be aligned to
/// MDL_ALIGNMENT, hold at least the tensor's bytes at its declared maximum, and outlive its use.
/// data = null: back to the session's own. Statuses: INVALID_ARGUMENT (index, alignment, overlap
/// with a bound output or the session's memory), SHAPE (too small), or what a backend's bind gives.
MDL_API mdl_status mdl_session_bind_input(mdl_session* session, size_t index, const void* data,
                                          size_t bytes, mdl_error* error);
/// The same for an output, which the next run writes there; it overlaps no other that is bound.
MDL_API mdl_status mdl_session_bind_output(mdl_session* session, size_t index, void* data,
                                           size_t bytes, mdl_error* error);

/// Copies `count` floats into an input, converted to its dtype: quantised when it has a scale, by
/// the rule of QuantizeLinear; else integers are rounded to nearest even and saturate.
/// Statuses: INVALID_ARGUMENT, SHAPE (count differs from the current element count), DTYPE (int4
/// and uint4: use mdl_session_input), UNSUPPORTED (bound to the caller's buffer), NOT_FINITE
/// (check_finite, and NaN or infinity for integers; without it NaN becomes the least value of an
/// input with a scale, 0 of one without).
MDL_API mdl_status mdl_session_set_input(mdl_session* session, size_t index, const float* values,
                                         size_t count, mdl_error* error);

/// Copies an output of the last run into `count` floats, dequantised when it has a scale. Statuses:
/// INVALID_ARGUMENT, SHAPE, DTYPE (int4 and uint4: use mdl_session_output), STATE (no run succeeded
/// since the session was created or resized or an output was bound, or the last run failed).
MDL_API mdl_status mdl_session_get_output(const mdl_session* session, size_t index, float* values,
                                          size_t count, mdl_error* error);

/// The current shape of an input; dims has room for MDL_MAX_RANK. Statuses: INVALID_ARGUMENT.
MDL_API mdl_status mdl_session_input_shape(const mdl_session* session, size_t index, int64_t* dims,
                                           uint32_t* rank, mdl_error* error);
/// The same for an output; extents that depend on values are those that the last run found.
MDL_API mdl_status mdl_session_output_shape(const mdl_session* session, size_t index, int64_t* dims,
                                            uint32_t* rank, mdl_error* error);

/// Sets the shapes of all inputs at once, within their declared maxima; dims[i] points at the
/// dimensions of input i, or is null to keep them. A state whose shape changes with them goes back
/// to its initial value. Allocates nothing; on failure all is as before. Statuses:
/// INVALID_ARGUMENT, SHAPE (the text names input, dimension and maximum).
MDL_API mdl_status mdl_session_resize(mdl_session* session, const int64_t* const* dims,
                                      size_t input_count, mdl_error* error);

/// Runs the model once, on the inputs as they are. On success the state tensors are committed; on
/// any other status they are as before the run. With one thread: no allocation, no lock, no system
/// call; stack use is at most mdl_memory_need.stack_bytes. Inputs stay as they are. Statuses:
/// CANCELLED, BACKEND, NOT_FINITE, STATE (full), or what a step gives, such as INVALID_ARGUMENT for
/// an index out of range; the text is at mdl_session_error.
MDL_API mdl_status mdl_session_run(mdl_session* session);

/// The text of the last run's failure; "" after a success. Valid until the next run.
MDL_API const char* mdl_session_error(const mdl_session* session);

/// Asks a run in progress to stop between two steps. May be called from any thread and from a
/// signal handler. A cancel counts for one run: for that in progress, also when it fails for
/// another reason or ends first; while none is in progress, for the next.
MDL_API void mdl_session_cancel(mdl_session* session);

/// Sets every state to its initial value. Statuses: INVALID_ARGUMENT.
MDL_API mdl_status mdl_session_reset(mdl_session* session, mdl_error* error);

/// The bytes that mdl_session_save writes.
MDL_API size_t mdl_session_state_bytes(const mdl_session* session);

/// Copies all states, with the model's digest and one of these bytes themselves, into the caller's
/// buffer: the same bytes on every CPU. Statuses: INVALID_ARGUMENT, SHAPE (size too small).
MDL_API mdl_status mdl_session_save(const mdl_session* session, void* data, size_t size,
                                    mdl_error* error);

/// Takes back what mdl_session_save wrote, from a session of the same model, on any CPU. On failure
/// the states are as before. Statuses: INVALID_ARGUMENT, STATE (not of this model, or of other
/// shapes), DIGEST (the bytes changed).
MDL_API mdl_status mdl_session_restore(mdl_session* session, const void* data, size_t size,
                                       mdl_error* error);

/// A tensor's value after a run, by name: an input, an output, a state, or one named in
/// mdl_program_options.keep. `info`, which may be null, receives its current shape; `data` is
/// dense. Statuses: INVALID_ARGUMENT (also for an info whose struct_size is not set), NOT_FOUND
/// (the text lists what there is), STATE (as of mdl_session_get_output; not of inputs and states).
MDL_API mdl_status mdl_session_tensor(const mdl_session* session, const char* name,
                                      mdl_tensor_info* info, const void** data, mdl_error* error);

/// One step of the last run.
typedef struct mdl_step_profile {
  size_t struct_size;
  const char* name;  ///< of the step's first node
  const char* op;    ///< operators of the step, joined with '+'
  const char* backend;
  const char* kernel;
  uint64_t nanoseconds;
  uint64_t macs;   ///< multiply-accumulates at the declared maxima, also after a resize
  uint64_t bytes;  ///< read and written at them: inputs, constants, outputs
} mdl_step_profile;

/// Calls `visit` for each step of the last successful run, in order, until it returns 0. The
/// session must have been created with profile = 1. Statuses: INVALID_ARGUMENT, UNSUPPORTED (no
/// profile).
MDL_API mdl_status mdl_session_profile(const mdl_session* session,
                                       int (*visit)(void* context, const mdl_step_profile* step),
                                       void* context, mdl_error* error);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // MEDULLA_MEDULLA_H_
