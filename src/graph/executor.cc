// SPDX-License-Identifier: Apache-2.0
// The loops that run a session's calls.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/base/fp_env.h"
#include "src/base/text.h"
#include "src/graph/backends.h"
#include "src/graph/convert.h"
#include "src/graph/session.h"

namespace medulla {
namespace {

// A call whose rows several threads share: task i takes the i-th of `parts` ranges.
struct SharedCall {
  const Call* call;
  std::byte* scratch;
  size_t scratch_bytes;
  std::atomic<mdl_status> status;
};

void run_part(void* argument, size_t index) {
  SharedCall& shared = *static_cast<SharedCall*>(argument);
  const Call& call = *shared.call;
  const int64_t grain = call.grain;
  const int64_t units = (call.rows + grain - 1) / grain;
  const int64_t i = static_cast<int64_t>(index);
  const int64_t begin = units * i / call.parts * grain;
  const int64_t end = std::min(units * (i + 1) / call.parts * grain, call.rows);
  const FloatEnvironment environment;
  const mdl_status status =
      call.run(call.args, call.phase, begin, end, shared.scratch + index * shared.scratch_bytes);
  if (status != MDL_OK) shared.status.store(status, std::memory_order_relaxed);
}

uint64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

// An exponent of ones: NaN or infinity.
bool is_finite(mdl_dtype dtype, const std::byte* element) {
  uint64_t bits = 0;
  std::memcpy(&bits, element, mdl_dtype_bits(dtype) / 8);
  switch (dtype) {
    case MDL_FLOAT16:
      return (bits & 0x7C00) != 0x7C00;
    case MDL_BFLOAT16:
      return (bits & 0x7F80) != 0x7F80;
    case MDL_FLOAT32:
      return (bits & 0x7F800000) != 0x7F800000;
    case MDL_FLOAT64:
      return (bits & 0x7FF0000000000000) != 0x7FF0000000000000;
    default:
      return true;
  }
}

}  // namespace

mdl_status Session::run_steps() {
  if (options_.profile) std::fill(nanoseconds_.begin(), nanoseconds_.end(), 0);
  mdl_status status = run_list(calls_.data(), calls_.data() + call_count_);
  if (status == MDL_OK && program_->early_steps != program_->steps.size()) status = run_late();
  if (!program_->is_body) parallel_->rest();
  return status != MDL_OK ? status : take_cancel();
}

mdl_status Session::run_list(const Call* begin, const Call* end) {
  return options_.profile || options_.check_finite ? run_measured(begin, end)
                                                   : run_calls(begin, end);
}

// The hot loop: nothing but the calls, and a look at the flag between them.
mdl_status Session::run_calls(const Call* begin, const Call* end) {
  const std::atomic<uint32_t>& cancel = *cancel_;
  for (const Call* call = begin; call != end; ++call) {
    if (cancel.load(std::memory_order_relaxed) != 0) break;
    const mdl_status status = call->parts == 1
                                  ? call->run(call->args, call->phase, 0, call->rows, scratch_)
                                  : run_shared(*call);
    if (status != MDL_OK) return fail_call(*call, status);
  }
  return MDL_OK;
}

mdl_status Session::run_shared(const Call& call) {
  SharedCall shared = {&call, scratch_, program_->scratch_bytes, MDL_OK};
  const bool last = &call == last_shared_;
  parallel_->run(run_part, &shared, call.parts, last);
  return shared.status.load(std::memory_order_relaxed);
}

// A cancel counts for one run.
mdl_status Session::take_cancel() {
  if (cancel_->load(std::memory_order_relaxed) == 0) return MDL_OK;
  cancel_->store(0, std::memory_order_relaxed);
  return fail(&error_, MDL_ERROR_CANCELLED, "the run was cancelled; states are as before it");
}

// The same with a look at the clock and at the outputs.
mdl_status Session::run_measured(const Call* begin, const Call* end) {
  for (const Call* call = begin; call != end; ++call) {
    if (cancel_->load(std::memory_order_relaxed) != 0) break;
    const uint64_t start = options_.profile ? now() : 0;
    const mdl_status status = call->parts == 1
                                  ? call->run(call->args, call->phase, 0, call->rows, scratch_)
                                  : run_shared(*call);
    if (options_.profile) nanoseconds_[call->step] += now() - start;
    if (status != MDL_OK) return fail_call(*call, status);
    const Step& step = program_->steps[call->step];
    const bool step_ends = call + 1 == end || call[1].step != call->step;
    // What finds its extents is looked at when they are known.
    if (options_.check_finite && step_ends && step.plan.found == nullptr) {
      MDL_TRY(check_outputs(step));
    }
  }
  return MDL_OK;
}

// Whether a tensor holds NaN or infinity; `element` receives the first one's index.
bool Session::holds_not_finite(int32_t t, size_t* element) const {
  const mdl_dtype dtype = program_->graph.tensors[t].dtype;
  if (!is_float_dtype(dtype)) return false;
  const mdl_shape dims = shape(t);
  const size_t columns = dims.rank > 0 ? static_cast<size_t>(dims.dims[dims.rank - 1]) : 1;
  const size_t pitch = static_cast<size_t>(program_->places[static_cast<size_t>(t)].pitch);
  const size_t size = mdl_dtype_bits(dtype) / 8;
  const size_t row_bytes = (pitch != 0 ? pitch : columns) * size;
  const size_t row_count = columns > 0 ? bytes(t) / size / columns : 0;
  const std::byte* row = static_cast<const std::byte*>(data(t));
  for (size_t r = 0; r < row_count; ++r, row += row_bytes) {
    for (size_t c = 0; c < columns; ++c) {
      if (is_finite(dtype, row + c * size)) continue;
      *element = r * columns + c;
      return true;
    }
  }
  return false;
}

// An integer network would turn NaN into a number at its first step.
mdl_status Session::check_inputs() {
  const mdl_graph& graph = program_->graph;
  for (size_t i = 0; i < graph.input_count; ++i) {
    size_t element = 0;
    if (!holds_not_finite(graph.inputs[i], &element)) continue;
    return fail(&error_, MDL_ERROR_NOT_FINITE, "input '", graph.tensors[graph.inputs[i]].name,
                "' is not finite at element ", element);
  }
  return MDL_OK;
}

mdl_status Session::check_outputs(const Step& step) {
  for (size_t o = 0; o < step.group.output_count; ++o) {
    size_t element = 0;
    if (!holds_not_finite(step.group.outputs[o], &element)) continue;
    const mdl_tensor& tensor = program_->graph.tensors[step.group.outputs[o]];
    const mdl_node& node = program_->graph.nodes[tensor.producer];
    return fail(&error_, MDL_ERROR_NOT_FINITE, "node '", node.name, "' (", node.op,
                "): its output '", tensor.name, "' is not finite at element ", element);
  }
  return MDL_OK;
}

mdl_status Session::fail_call(const Call& call, mdl_status status) {
  const Step& step = program_->steps[call.step];
  if (step.control != nullptr) return status;  // with its own text
  const mdl_node& node = program_->graph.nodes[step.group.nodes[0]];
  const Instance& instance = program_->backends[step.backend];
  const mdl_backend& backend = *instance.backend;
  mdl_error reason = MDL_ERROR_INIT;
  if (backend.struct_size >= offsetof(mdl_backend, explain) + sizeof(backend.explain) &&
      backend.explain != nullptr) {
    backend.explain(instance.instance, &step.plan, call.args, &reason);
  }
  status = checked_status(status, &reason);
  const char* why = reason.text[0] != 0 ? reason.text : mdl_status_name(status);
  return fail(&error_, status, "node '", node.name, "' (", node.op, ") failed on backend ",
              backend.name, ", kernel ", step.plan.kernel, ": ", why);
}

}  // namespace medulla
