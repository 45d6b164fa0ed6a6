// SPDX-License-Identifier: Apache-2.0
// A session: what one caller's runs of a program write. All of it lies in one block of memory.
#ifndef MEDULLA_SRC_GRAPH_SESSION_H_
#define MEDULLA_SRC_GRAPH_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/parallel.h"
#include "src/graph/program.h"
#include "src/ops/op.h"

namespace medulla {

// One phase of a step, ready to run.
struct Call {
  mdl_status (*run)(const void* args, uint32_t phase, int64_t begin, int64_t end, void* scratch);
  const void* args;
  int64_t rows;
  uint32_t phase;
  uint32_t parts;  // tasks that share the rows; 1: the calling thread alone
  uint32_t grain;
  uint32_t step;
};

struct SessionOptions {
  size_t threads = 1;  // how many tasks may run at once
  bool profile = false;
  bool check_finite = false;
};

class Session {
 public:
  // Exact size of the block that a session takes, this object included; SIZE_MAX: more than can be.
  static size_t memory_need(const Program& program, const SessionOptions& options);

  // `this` is the start of a zeroed block of memory_need bytes, aligned to MDL_ALIGNMENT.
  mdl_status open(const Program& program, const SessionOptions& options, uint32_t own_threads,
                  const mdl_thread_pool* pool, mdl_error* error);
  void close();

  mdl_status run();
  void cancel() { own_cancel_.store(1, std::memory_order_relaxed); }

  // control_run.cc, for nodes that run graphs. A body's session lies in its parent's, and uses its
  // threads, its scratch and a piece of its arena.
  mdl_status open_body(const Program& program, Session& parent, std::byte* room, mdl_error* error);
  void give_input(size_t index, void* pointer, const mdl_shape& shape);
  void give_output(size_t index, void* pointer);
  void give_shape(size_t index, const mdl_shape& shape);
  mdl_shape given_shape(size_t index) const { return shape(program_->graph.inputs[index]); }
  mdl_status run_body(Session& body, const NodeView& node, int64_t iteration);
  template <class... Parts>
  mdl_status fail_control(mdl_status status, const NodeView& node, const Parts&... parts) {
    return fail_node(&error_, status, node, parts...);
  }

  // dims[i] may be null: as before.
  mdl_status resize(const int64_t* const* dims, mdl_error* error);
  // pointer = null: the session's own memory.
  mdl_status bind_input(size_t index, void* pointer, mdl_error* error);
  mdl_status bind_output(size_t index, void* pointer, mdl_error* error);

  void reset();
  size_t saved_bytes() const;
  void save(void* data) const;
  mdl_status restore(const void* data, size_t size, mdl_error* error);

  const Program& program() const { return *program_; }
  mdl_shape shape(int32_t tensor) const;
  mdl_shape state_shape(size_t s) const;  // with the length that is stored
  void* data(int32_t tensor) const;
  size_t bytes(int32_t tensor) const;
  bool is_bound(bool output, size_t index) const {
    return (output ? outputs_ : inputs_)[index] != nullptr;
  }
  // Of each step of the last successful run; empty when profile is off.
  std::span<const uint64_t> nanoseconds() const { return nanoseconds_; }
  bool has_profile() const { return profiled_; }
  bool has_answer() const { return answered_; }
  bool checks_finite() const { return options_.check_finite; }
  const mdl_error& last_error() const { return error_; }

 private:
  struct Layout;
  static Layout layout(const Program& program, const SessionOptions& options);

  // control_run.cc
  mdl_status prepare_control(const Step& step, Call* call, mdl_error* error);
  mdl_status take_given();
  // session.cc
  void lay_out(const Program& program, const SessionOptions& options);
  mdl_status prepare(mdl_error* error);
  mdl_status begin_run();
  size_t full_state() const;
  mdl_status check_room();
  // resize.cc
  mdl_status prepare_steps(mdl_error* error);
  mdl_status prepare_step(const Step& step, Call* calls, uint32_t* count, mdl_error* error);
  bool writes_elements(const Step& step) const;
  mdl_status bind_step(const Step& step, mdl_error* error);
  mdl_status rebind(StorageKind kind, size_t index, mdl_error* error);
  mdl_status set_inputs(const int64_t* const* dims, mdl_error* error);
  void set_state_shapes();
  mdl_status check_written(const mdl_shape* shapes, mdl_error* error) const;
  mdl_status apply(mdl_error* error);
  // state.cc
  void reset_state(size_t s);
  void commit();
  mdl_status check_saved(size_t s, const int64_t* dims, uint64_t bytes, size_t left,
                         mdl_error* error) const;
  // late.cc
  mdl_status infer_late(int32_t last, size_t* next);
  mdl_status take_found(const Step& step);
  mdl_status run_late();
  // executor.cc
  mdl_status run_steps();
  mdl_status run_list(const Call* begin, const Call* end);
  mdl_status run_calls(const Call* begin, const Call* end);
  mdl_status run_measured(const Call* begin, const Call* end);
  mdl_status run_shared(const Call& call);
  mdl_status take_cancel();
  bool holds_not_finite(int32_t t, size_t* element) const;
  mdl_status check_inputs();
  mdl_status check_outputs(const Step& step);
  mdl_status fail_call(const Call& call, mdl_status status);
  uint32_t parts_of(const Step& step, int64_t rows) const;

  const Program* program_;
  SessionOptions options_;
  Parallel own_parallel_;
  std::atomic<uint32_t> own_cancel_;
  Parallel* parallel_;             // a body's: of the session that it is in
  std::atomic<uint32_t>* cancel_;  // the same
  bool given_;     // of a body: shapes or pointers have changed since its steps were prepared
  bool stale_;     // a state's length has changed since the steps were prepared
  bool profiled_;  // nanoseconds_ are of a run that succeeded
  bool answered_;  // the outputs are
  mdl_error error_;

  std::byte* arena_;
  std::byte* args_;
  std::byte* scratch_;  // one piece for each task that may run at once
  // Of the early steps call_count_ calls in a row; of each later one its own, from Step::first_call
  // on, until one without rows or as many as it has phases.
  std::span<Call> calls_;
  size_t call_count_;
  const Call* last_shared_;    // the last call that more than one thread runs; null: not known
  mdl_shape* shapes_;          // of each tensor; null when the program is not dynamic
  mdl_shape* next_shapes_;     // the same, while a resize is tried
  TensorType* room_;           // for infer_shapes
  mdl_shape* operand_shapes_;  // of the step at hand
  mdl_operand* operands_;
  std::byte** states_;
  int64_t* state_lengths_;  // along the axis, of those that append
  void** inputs_;           // the caller's buffers; null: our own
  void** outputs_;
  std::span<uint64_t> nanoseconds_;
};

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_SESSION_H_
