// SPDX-License-Identifier: Apache-2.0
// Extents that only values tell: which steps have to wait for them, and how they get them.
#include <algorithm>

#include "src/base/text.h"
#include "src/graph/infer.h"
#include "src/graph/session.h"
#include "src/graph/uses.h"
#include "src/ops/op.h"

namespace medulla {
namespace {

int32_t last_node(const Step& step) { return step.group.nodes[step.group.node_count - 1]; }

}  // namespace

mdl_status find_late(Arena& arena, Program* program, mdl_error* error) {
  const mdl_graph& graph = program->graph;
  const std::span steps = program->steps;
  const auto finds = [](const Step& step) { return step.plan.found != nullptr; };
  const auto first = std::find_if(steps.begin(), steps.end(), finds);
  program->early_steps = static_cast<size_t>(first - steps.begin());
  if (first == steps.end()) return MDL_OK;

  const Arena::Scope scope(arena);
  bool* late = arena.make_temporary<bool>(graph.tensor_count);
  int32_t* nodes = arena.make<int32_t>(graph.node_count);
  if (late == nullptr || nodes == nullptr) return fail_planning(error);
  size_t count = 0;
  for (size_t n = 0; n < graph.node_count; ++n) {
    const mdl_node& node = graph.nodes[n];
    bool is_late = program->node_step[n] != kNodeUnused && finds_extents(NodeView(graph, node));
    for (uint32_t i = 0; i < node.input_count; ++i) {
      is_late |= node.inputs[i] >= 0 && late[node.inputs[i]];
    }
    if (!is_late) continue;
    nodes[count++] = static_cast<int32_t>(n);
    for (uint32_t o = 0; o < node.output_count; ++o) {
      if (node.outputs[o] >= 0) late[node.outputs[o]] = true;
    }
  }
  program->late_nodes = {nodes, count};
  for (Step& step : steps) {
    for (size_t i = 0; i < step.operand_count(); ++i) step.late |= late[step.operand(i)];
  }
  return MDL_OK;
}

// Sets the shapes of late nodes' outputs up to node `last`; `next` is the first that is left.
mdl_status Session::infer_late(int32_t last, size_t* next) {
  const std::span nodes = program_->late_nodes;
  for (; *next < nodes.size() && nodes[*next] <= last; ++*next) {
    const mdl_node& node = program_->graph.nodes[nodes[*next]];
    MDL_TRY(infer_node_shapes(program_->graph, node, room_, shapes_, &error_));
  }
  return MDL_OK;
}

// Takes over what a step found.
mdl_status Session::take_found(const Step& step) {
  const mdl_group& group = step.group;
  const NodeView node(program_->graph, program_->graph.nodes[last_node(step)]);
  for (size_t o = 0; o < group.output_count; ++o) operand_shapes_[o] = shapes_[group.outputs[o]];
  step.plan.found(args_ + step.args_offset, operand_shapes_);
  for (size_t o = 0; o < group.output_count; ++o) {
    const int32_t t = group.outputs[o];
    const mdl_shape& most = shapes_[t];
    const mdl_shape& found = operand_shapes_[o];
    MDL_TRY(check_extents(node, program_->graph.tensors[t], found, &error_));
    for (uint32_t d = 0; d < found.rank; ++d) {
      if (found.dims[d] <= most.dims[d]) continue;
      return fail_node(&error_, MDL_ERROR_BACKEND, node, "output ", o, " was found to be ", found,
                       ", there is room for ", most);
    }
    shapes_[t] = found;
  }
  return MDL_OK;
}

// From the first step that finds extents on, step by step: a late one learns its shapes when those
// before it have run.
mdl_status Session::run_late() {
  const Program& program = *program_;
  size_t next = 0;
  for (size_t s = program.early_steps; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    Call* const calls = &calls_[step.first_call];
    uint32_t count = 0;
    if (step.late) {
      MDL_TRY(infer_late(last_node(step), &next));
      MDL_TRY(prepare_step(step, calls, &count, &error_));
    } else {
      while (count < step.plan.phase_count && calls[count].rows > 0) ++count;
    }
    if (count == 0) continue;
    MDL_TRY(run_list(calls, calls + count));
    if (cancel_->load(std::memory_order_relaxed) != 0) return MDL_OK;
    if (step.plan.found == nullptr) continue;
    MDL_TRY(take_found(step));
    if (options_.check_finite) MDL_TRY(check_outputs(step));
  }
  return infer_late(INT32_MAX, &next);
}

}  // namespace medulla
