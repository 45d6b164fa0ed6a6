// SPDX-License-Identifier: Apache-2.0
#include "src/graph/session.h"

#include <algorithm>
#include <cstring>

#include "src/base/checked.h"
#include "src/base/fp_env.h"
#include "src/graph/infer.h"
#include "src/ops/op.h"

namespace medulla {

// Offsets of the parts in the session's block.
struct Session::Layout {
  size_t total = align_up(sizeof(Session), MDL_ALIGNMENT);
  size_t arena, args, scratch, states, calls, shapes, next_shapes, room, operand_shapes, operands,
      state_pointers, state_lengths, inputs, outputs, nanoseconds;

  // total is SIZE_MAX once it would be more.
  size_t add(size_t count, size_t bytes = 1) {
    const size_t offset = total;
    size_t size;
    if (!checked_mul(count, bytes, &size) || !checked_add(size, size_t{MDL_ALIGNMENT - 1}, &size) ||
        !checked_add(total, size & ~size_t{MDL_ALIGNMENT - 1}, &total)) {
      total = SIZE_MAX;
    }
    return offset;
  }
};

Session::Layout Session::layout(const Program& program, const SessionOptions& options) {
  const mdl_graph& graph = program.graph;
  const size_t tensors = program.dynamic ? graph.tensor_count : 0;
  Layout l;
  l.arena = l.add(program.is_body ? 0 : program.arena_bytes);
  l.args = l.add(program.args_bytes);
  l.scratch = l.add(program.is_body ? 0 : program.scratch_bytes, options.threads);
  l.states = l.add(program.state_bytes);
  l.calls = l.add(program.max_phases, sizeof(Call));
  l.shapes = l.add(tensors, sizeof(mdl_shape));
  l.next_shapes = l.add(tensors, sizeof(mdl_shape));
  l.room = l.add((program.dynamic ? infer_room(graph) : 0), sizeof(TensorType));
  l.operand_shapes = l.add(program.max_operands, sizeof(mdl_shape));
  l.operands = l.add(program.max_operands, sizeof(mdl_operand));
  l.state_pointers = l.add(graph.state_count, sizeof(void*));
  l.state_lengths = l.add(graph.state_count, sizeof(int64_t));
  l.inputs = l.add(graph.input_count, sizeof(void*));
  l.outputs = l.add(graph.output_count, sizeof(void*));
  l.nanoseconds = l.add((options.profile ? program.steps.size() : 0), sizeof(uint64_t));
  return l;
}

size_t Session::memory_need(const Program& program, const SessionOptions& options) {
  return layout(program, options).total;
}

void Session::lay_out(const Program& program, const SessionOptions& options) {
  const Layout l = layout(program, options);
  std::byte* base = reinterpret_cast<std::byte*>(this);
  const mdl_graph& graph = program.graph;
  program_ = &program;
  options_ = options;
  parallel_ = &own_parallel_;
  cancel_ = &own_cancel_;
  arena_ = base + l.arena;
  args_ = base + l.args;
  scratch_ = base + l.scratch;
  calls_ = {reinterpret_cast<Call*>(base + l.calls), program.max_phases};
  room_ = reinterpret_cast<TensorType*>(base + l.room);
  operand_shapes_ = reinterpret_cast<mdl_shape*>(base + l.operand_shapes);
  operands_ = reinterpret_cast<mdl_operand*>(base + l.operands);
  states_ = reinterpret_cast<std::byte**>(base + l.state_pointers);
  state_lengths_ = reinterpret_cast<int64_t*>(base + l.state_lengths);
  inputs_ = reinterpret_cast<void**>(base + l.inputs);
  outputs_ = reinterpret_cast<void**>(base + l.outputs);
  if (program.dynamic) {
    shapes_ = reinterpret_cast<mdl_shape*>(base + l.shapes);
    next_shapes_ = reinterpret_cast<mdl_shape*>(base + l.next_shapes);
  }
  if (options.profile) {
    nanoseconds_ = {reinterpret_cast<uint64_t*>(base + l.nanoseconds), program.steps.size()};
  }
  std::byte* state = base + l.states;
  for (size_t s = 0; s < graph.state_count; ++s) {
    states_[s] = state;
    state += align_up(graph.tensors[graph.states[s].tensor].bytes, MDL_ALIGNMENT);
  }
}

// The steps, for the declared shapes.
mdl_status Session::prepare(mdl_error* error) {
  const mdl_graph& graph = program_->graph;
  if (shapes_ != nullptr) {
    for (size_t t = 0; t < graph.tensor_count; ++t) shapes_[t] = max_shape(graph.tensors[t]);
    std::copy_n(shapes_, graph.tensor_count, next_shapes_);
    set_state_shapes();
    MDL_TRY(infer_shapes(graph, room_, next_shapes_, error));
    std::copy_n(next_shapes_, graph.tensor_count, shapes_);
    MDL_TRY(check_written(shapes_, error));
  }
  return prepare_steps(error);
}

mdl_status Session::open(const Program& program, const SessionOptions& options,
                         uint32_t own_threads, const mdl_thread_pool* pool, mdl_error* error) {
  lay_out(program, options);
  MDL_TRY(own_parallel_.open(own_threads, pool, error));
  const mdl_status status = prepare(error);
  if (status != MDL_OK) {
    own_parallel_.close();
    return status;
  }
  reset();
  stale_ = false;
  return MDL_OK;
}

mdl_status Session::open_body(const Program& program, Session& parent, std::byte* room,
                              mdl_error* error) {
  SessionOptions options = parent.options_;
  options.profile = false;
  lay_out(program, options);
  parallel_ = parent.parallel_;
  cancel_ = parent.cancel_;
  arena_ = room;
  scratch_ = parent.scratch_;
  error_.struct_size = sizeof(error_);
  return prepare(error);
}

void Session::close() { own_parallel_.close(); }

mdl_shape Session::shape(int32_t tensor) const {
  return shapes_ != nullptr ? shapes_[tensor] : max_shape(program_->graph.tensors[tensor]);
}

size_t Session::bytes(int32_t tensor) const {
  return tensor_bytes(program_->graph.tensors[tensor].dtype, shape(tensor));
}

void* Session::data(int32_t tensor) const {
  const mdl_tensor& info = program_->graph.tensors[tensor];
  if (info.data != nullptr) return const_cast<void*>(info.data);
  const Place& place = program_->places[static_cast<size_t>(tensor)];
  if (place.storage < 0) return nullptr;
  const Storage& storage = program_->storages[static_cast<size_t>(place.storage)];
  std::byte* base = arena_ + storage.offset;
  void* bound = nullptr;
  switch (storage.kind) {
    case StorageKind::constant:
      base = static_cast<std::byte*>(const_cast<void*>(storage.constant));
      break;
    case StorageKind::state:
      base = states_[storage.index];
      break;
    case StorageKind::input:
      bound = inputs_[storage.index];
      break;
    case StorageKind::output:
      bound = outputs_[storage.index];
      break;
    case StorageKind::arena:
      break;
  }
  if (bound != nullptr) base = static_cast<std::byte*>(bound);
  return base + place.offset;
}

mdl_status Session::run() {
  const FloatEnvironment environment;
  error_.struct_size = sizeof(error_);
  error_.text[0] = 0;
  error_.status = begin_run();
  answered_ = error_.status == MDL_OK;
  profiled_ = answered_ && options_.profile;
  // A cancel that comes too late, or to a run that fails for another reason, was for this run.
  cancel_->store(0, std::memory_order_relaxed);
  return error_.status;
}

mdl_status Session::begin_run() {
  // What a step finds can be known only behind it.
  const bool finds = program_->early_steps != program_->steps.size();
  if (stale_) {
    const mdl_status status = resize(nullptr, &error_);
    // With a state that is full some shape is beyond its maximum: the state is what is wrong.
    if (status != MDL_OK) return full_state() < program_->graph.state_count ? check_room() : status;
  }
  if (!finds) MDL_TRY(check_room());
  if (options_.check_finite) MDL_TRY(check_inputs());
  MDL_TRY(run_steps());
  if (finds) {
    MDL_TRY(check_room());
    MDL_TRY(check_written(shapes_, &error_));
  }
  commit();
  return MDL_OK;
}

// The first state without room for what a run at these shapes appends; the count if each has it.
size_t Session::full_state() const {
  const mdl_graph& graph = program_->graph;
  size_t s = 0;
  for (; s < graph.state_count; ++s) {
    const mdl_state& state = graph.states[s];
    if (state.kind != MDL_STATE_APPEND) continue;
    const int64_t room = graph.tensors[state.tensor].dims[state.axis] - state_lengths_[s];
    if (shape(state.written).dims[state.axis] > room) break;
  }
  return s;
}

// Whether what the run will append fits.
mdl_status Session::check_room() {
  const mdl_graph& graph = program_->graph;
  const size_t s = full_state();
  if (s == graph.state_count) return MDL_OK;
  const mdl_state& state = graph.states[s];
  const mdl_tensor& tensor = graph.tensors[state.tensor];
  return fail(&error_, MDL_ERROR_STATE, "state '", tensor.name, "' is full: it holds ",
              state_lengths_[s], " of ", tensor.dims[state.axis], " along dimension ", state.axis,
              ", and the run would append ", shape(state.written).dims[state.axis]);
}

}  // namespace medulla
