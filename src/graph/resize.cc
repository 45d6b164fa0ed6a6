// SPDX-License-Identifier: Apache-2.0
// A session's shapes and pointers: how they reach the steps.
#include <algorithm>
#include <cstring>

#include "src/graph/backends.h"
#include "src/graph/infer.h"
#include "src/graph/session.h"

namespace medulla {
namespace {

// A step shorter than this stays on one thread: waking and joining the others would cost too large
// a part of what they save. The design's figure; not measured yet on a quiet machine.
constexpr uint64_t kSharedNanoseconds = 20000;
// Assumed rates of one core, in round figures, to tell short steps from long ones.
constexpr uint64_t kMacsPerNanosecond = 20;
constexpr uint64_t kBytesPerNanosecond = 10;

// The extent that the inputs give a symbol; -1: no input has it.
int64_t extent_of(const mdl_graph& graph, const mdl_shape* shapes, const char* symbol) {
  for (size_t i = 0; i < graph.input_count; ++i) {
    const mdl_tensor& input = graph.tensors[graph.inputs[i]];
    for (uint32_t d = 0; d < input.rank; ++d) {
      if (input.symbols[d] != nullptr && std::strcmp(input.symbols[d], symbol) == 0) {
        return shapes[graph.inputs[i]].dims[d];
      }
    }
  }
  return -1;
}

bool same_dims(const mdl_shape& a, const mdl_shape& b, int32_t except) {
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.dims[d] != b.dims[d] && static_cast<int32_t>(d) != except) return false;
  }
  return a.rank == b.rank;
}

}  // namespace

mdl_status Session::resize(const int64_t* const* dims, mdl_error* error) {
  const mdl_graph& graph = program_->graph;
  if (shapes_ == nullptr) {
    // Every dimension is fixed: this only says so.
    return set_inputs(dims, error);
  }
  std::copy_n(shapes_, graph.tensor_count, next_shapes_);
  MDL_TRY(set_inputs(dims, error));
  set_state_shapes();
  MDL_TRY(infer_shapes(graph, room_, next_shapes_, error));
  MDL_TRY(apply(error));
  answered_ = false;
  return MDL_OK;
}

// Checks and sets the inputs' shapes in next_shapes_.
mdl_status Session::set_inputs(const int64_t* const* dims, mdl_error* error) {
  const mdl_graph& graph = program_->graph;
  for (size_t i = 0; dims != nullptr && i < graph.input_count; ++i) {
    if (dims[i] == nullptr) continue;
    const mdl_tensor& input = graph.tensors[graph.inputs[i]];
    for (uint32_t d = 0; d < input.rank; ++d) {
      const bool fixed = input.symbols[d] == nullptr;
      const int64_t extent = dims[i][d];
      const int64_t most = input.dims[d];
      if (fixed ? extent != most : extent < std::min<int64_t>(most, 1) || extent > most) {
        return fail(error, MDL_ERROR_SHAPE, "input '", input.name, "': dimension ", d, " is ",
                    extent, ", should be ", fixed || most == 0 ? "" : "1 to ", most);
      }
      if (!fixed) next_shapes_[graph.inputs[i]].dims[d] = extent;
    }
  }
  for (size_t i = 0; shapes_ != nullptr && i < graph.input_count; ++i) {
    const mdl_tensor& input = graph.tensors[graph.inputs[i]];
    for (uint32_t d = 0; d < input.rank; ++d) {
      if (input.symbols[d] == nullptr) continue;
      const int64_t extent = next_shapes_[graph.inputs[i]].dims[d];
      const int64_t other = extent_of(graph, next_shapes_, input.symbols[d]);
      if (extent != other) {
        return fail(error, MDL_ERROR_SHAPE, "input '", input.name, "': dimension ", d, " is ",
                    extent, ", but '", input.symbols[d], "' is ", other, " in another input");
      }
    }
  }
  return MDL_OK;
}

// Sets the states' shapes in next_shapes_ from the inputs' symbols and the lengths. A state that
// gets another shape than it has begins anew.
void Session::set_state_shapes() {
  const mdl_graph& graph = program_->graph;
  for (size_t s = 0; s < graph.state_count; ++s) {
    const mdl_state& state = graph.states[s];
    const mdl_tensor& tensor = graph.tensors[state.tensor];
    mdl_shape& shape = next_shapes_[state.tensor];
    const bool appends = state.kind == MDL_STATE_APPEND;
    const int32_t axis = appends ? state.axis : -1;
    for (uint32_t d = 0; d < tensor.rank; ++d) {
      if (tensor.symbols[d] == nullptr || static_cast<int32_t>(d) == axis) continue;
      const int64_t extent = extent_of(graph, next_shapes_, tensor.symbols[d]);
      if (extent >= 0) shape.dims[d] = extent;
    }
    if (!appends) continue;
    const bool kept = same_dims(shape, shapes_[state.tensor], axis);
    shape.dims[axis] = kept ? state_lengths_[s] : 0;
  }
}

// What is committed has to have its state's shape.
mdl_status Session::check_written(const mdl_shape* shapes, mdl_error* error) const {
  const mdl_graph& graph = program_->graph;
  for (size_t s = 0; s < graph.state_count; ++s) {
    const mdl_state& state = graph.states[s];
    const int32_t axis = state.kind == MDL_STATE_APPEND ? state.axis : -1;
    const mdl_shape& from = shapes[state.written];
    const mdl_shape& to = shapes[state.tensor];
    if (!same_dims(from, to, axis)) {
      return fail(error, MDL_ERROR_SHAPE, "state '", graph.tensors[state.tensor].name, "' is ", to,
                  ", what is written to it, '", graph.tensors[state.written].name, "', is ", from);
    }
  }
  return MDL_OK;
}

// Makes next_shapes_ the shapes; on failure all is as before.
mdl_status Session::apply(mdl_error* error) {
  MDL_TRY(check_written(next_shapes_, error));
  std::swap(shapes_, next_shapes_);
  const mdl_status status = prepare_steps(error);
  if (status != MDL_OK) {
    std::swap(shapes_, next_shapes_);
    // The steps took these shapes before, and take them again.
    prepare_steps(nullptr);
    return status;
  }
  const mdl_graph& graph = program_->graph;
  for (size_t s = 0; s < graph.state_count; ++s) {
    const mdl_state& state = graph.states[s];
    const int32_t axis = state.kind == MDL_STATE_APPEND ? state.axis : -1;
    if (!same_dims(shapes_[state.tensor], next_shapes_[state.tensor], axis)) reset_state(s);
  }
  stale_ = false;
  return MDL_OK;
}

mdl_status Session::prepare_steps(mdl_error* error) {
  call_count_ = 0;
  last_shared_ = nullptr;
  const size_t early = program_->early_steps;
  for (size_t s = 0; s < program_->steps.size(); ++s) {
    const Step& step = program_->steps[s];
    uint32_t count = 0;
    Call* const calls = &calls_[s < early ? call_count_ : step.first_call];
    MDL_TRY(prepare_step(step, calls, &count, error));
    if (s < early) call_count_ += count;
  }
  // A run goes on behind a body, and behind steps whose calls may change.
  if (program_->is_body || early != program_->steps.size()) return MDL_OK;
  for (uint32_t c = 0; c < call_count_; ++c) {
    if (calls_[c].parts > 1) last_shared_ = &calls_[c];
  }
  return MDL_OK;
}

// One that does not is left out: kernels need not know outputs without elements. One that finds
// extents has those to tell.
bool Session::writes_elements(const Step& step) const {
  const mdl_group& group = step.group;
  if (step.plan.found != nullptr) return true;
  return std::any_of(group.outputs, group.outputs + group.output_count,
                     [&](int32_t t) { return bytes(t) > 0; });
}

// Fills as many calls as the step has phases; the first `count` have rows.
mdl_status Session::prepare_step(const Step& step, Call* calls, uint32_t* count, mdl_error* error) {
  *count = 0;
  for (uint32_t p = 0; p < step.plan.phase_count; ++p) calls[p] = {};
  if (!writes_elements(step)) return MDL_OK;
  if (step.control != nullptr) {
    *count = 1;
    return prepare_control(step, calls, error);
  }
  const Instance& instance = program_->backends[step.backend];
  for (size_t i = 0; i < step.operand_count(); ++i) operand_shapes_[i] = shape(step.operand(i));
  mdl_rows rows = {};
  mdl_error reason = MDL_ERROR_INIT;
  void* args = args_ + step.args_offset;
  const mdl_status status =
      checked_status(instance.backend->resize(instance.instance, &step.plan, operand_shapes_, args,
                                              &rows, &reason),
                     &reason);
  if (status != MDL_OK) {
    return fail(error, status, "node '", program_->graph.nodes[step.group.nodes[0]].name,
                "' on backend ", instance.backend->name,
                " does not take these shapes: ", static_cast<const char*>(reason.text));
  }
  MDL_TRY(bind_step(step, error));
  for (uint32_t p = 0; p < step.plan.phase_count; ++p) {
    if (rows.rows[p] <= 0) continue;
    Call& call = calls[(*count)++];
    call.run = step.plan.run;
    call.args = args;
    call.rows = rows.rows[p];
    call.phase = p;
    call.parts = parts_of(step, call.rows);
    call.grain = std::max(step.plan.row_grain, 1u);
    call.step = static_cast<uint32_t>(&step - program_->steps.data());
  }
  return MDL_OK;
}

uint32_t Session::parts_of(const Step& step, int64_t rows) const {
  if (options_.threads <= 1) return 1;
  const uint64_t work =
      std::max(step.plan.macs / kMacsPerNanosecond, step.bytes / kBytesPerNanosecond);
  if (work < kSharedNanoseconds) return 1;
  const int64_t grain = std::max(step.plan.row_grain, 1u);
  const int64_t units = (rows + grain - 1) / grain;
  return static_cast<uint32_t>(std::min<int64_t>(units, static_cast<int64_t>(options_.threads)));
}

mdl_status Session::bind_step(const Step& step, mdl_error* error) {
  const Instance& instance = program_->backends[step.backend];
  for (size_t i = 0; i < step.operand_count(); ++i) {
    const int32_t t = step.operand(i);
    const mdl_shape dims = shape(t);
    const int64_t pitch = program_->places[static_cast<size_t>(t)].pitch;
    const int64_t dense = dims.rank > 0 ? dims.dims[dims.rank - 1] : 1;
    operands_[i] = {data(t), pitch != 0 ? pitch : dense};
  }
  mdl_error reason = MDL_ERROR_INIT;
  const std::byte* packed =
      step.plan.packed_bytes != 0 ? program_->packed + step.packed_offset : nullptr;
  const mdl_status status =
      checked_status(instance.backend->bind(instance.instance, &step.plan, operands_, packed,
                                            args_ + step.args_offset, &reason),
                     &reason);
  if (status == MDL_OK) return MDL_OK;
  return fail(error, status, "node '", program_->graph.nodes[step.group.nodes[0]].name,
              "' on backend ", instance.backend->name,
              " does not bind: ", static_cast<const char*>(reason.text));
}

mdl_status Session::bind_input(size_t index, void* pointer, mdl_error* error) {
  std::swap(inputs_[index], pointer);
  const mdl_status status = rebind(StorageKind::input, index, error);
  if (status == MDL_OK) return MDL_OK;
  inputs_[index] = pointer;
  rebind(StorageKind::input, index, nullptr);
  return status;
}

mdl_status Session::bind_output(size_t index, void* pointer, mdl_error* error) {
  std::swap(outputs_[index], pointer);
  const mdl_status status = rebind(StorageKind::output, index, error);
  if (status == MDL_OK) {
    answered_ = false;  // the answer is where the output was
    return MDL_OK;
  }
  outputs_[index] = pointer;
  rebind(StorageKind::output, index, nullptr);
  return status;
}

// Binds the steps that touch the storage anew.
mdl_status Session::rebind(StorageKind kind, size_t index, mdl_error* error) {
  for (const Step& step : program_->steps) {
    if (step.control != nullptr || !writes_elements(step)) continue;
    for (size_t i = 0; i < step.operand_count(); ++i) {
      const Place& place = program_->places[static_cast<size_t>(step.operand(i))];
      const Storage& storage = program_->storages[static_cast<size_t>(place.storage)];
      if (storage.kind != kind || static_cast<size_t>(storage.index) != index) continue;
      MDL_TRY(bind_step(step, error));
      break;
    }
  }
  return MDL_OK;
}

}  // namespace medulla
