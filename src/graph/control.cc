// SPDX-License-Identifier: Apache-2.0
#include "src/graph/control.h"

#include <algorithm>

#include "src/base/checked.h"
#include "src/base/text.h"
#include "src/graph/place.h"

namespace medulla {
namespace {

const mdl_graph* body_of(const NodeView& node, const char* name) {
  return node.attribute(name)->graph;
}

}  // namespace

Session& ControlArgs::body(size_t b) {
  std::byte* const base = reinterpret_cast<std::byte*>(this);
  return *reinterpret_cast<Session*>(base + step->control->session_offset[b]);
}

mdl_status plan_control(const mdl_graph& graph, const mdl_node& node, const PlaceOptions& options,
                        Arena& arena, Step* step, mdl_error* error) {
  const NodeView view(graph, node);
  const bool is_loop = view.attribute("body") != nullptr;
  const size_t count = is_loop ? 1 : 2;
  Control* control = arena.make<Control>();
  Program* bodies = arena.make<Program>(count);
  if (control == nullptr || bodies == nullptr) return fail_planning(error);
  control->graph = &graph;
  control->node = &node;
  control->bodies = {bodies, count};
  // A branch reads and writes where its node does; so does a loop's body what it captures.
  BodyRoom room = {0, 0};
  if (is_loop) {
    MDL_TRY(read_loop(view, &control->loop, error));
    room = {node.input_count - control->loop.captures, SIZE_MAX};
  }
  mdl_step& plan = step->plan;
  plan = {};
  plan.struct_size = sizeof(mdl_step);
  plan.kernel = is_loop ? "loop" : "branch";
  plan.phase_count = 1;
  plan.run = run_control;
  if (finds_extents(view)) plan.found = found_by_control;
  size_t args =
      align_up(sizeof(ControlArgs) + node.output_count * sizeof(mdl_shape), MDL_ALIGNMENT);
  for (size_t b = 0; b < count; ++b) {
    Program& body = bodies[b];
    const mdl_graph* inside = body_of(view, is_loop  ? "body"
                                            : b == 0 ? "then_branch"
                                                     : "else_branch");
    MDL_TRY(plan_body(*inside, options, room, arena, &body, error));
    control->session_offset[b] = args;
    args += Session::memory_need(body, SessionOptions());
    control->room_bytes = std::max(control->room_bytes, body.arena_bytes);
    plan.scratch_bytes = std::max(plan.scratch_bytes, body.scratch_bytes);
    plan.packed_bytes += align_up(body.packed_bytes, MDL_ALIGNMENT);
    for (const Step& inner : body.steps) {
      plan.macs += inner.plan.macs * (is_loop ? static_cast<uint64_t>(control->loop.limit) : 1);
      plan.numerics = std::max(plan.numerics, inner.plan.numerics);
    }
  }
  plan.args_bytes = args;
  step->control = control;
  step->refusals = "";
  return MDL_OK;
}

}  // namespace medulla
