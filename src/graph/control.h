// SPDX-License-Identifier: Apache-2.0
// Nodes that run graphs: each body is a program of its own, inside its parent's, and its session
// lies in the arguments of the parent's step.
#ifndef MEDULLA_SRC_GRAPH_CONTROL_H_
#define MEDULLA_SRC_GRAPH_CONTROL_H_

#include <span>

#include "src/graph/session.h"
#include "src/ops/control.h"

namespace medulla {

struct PlaceOptions;

// The plan of such a step.
struct Control {
  const mdl_graph* graph;  // that the node stands in
  const mdl_node* node;
  LoopShape loop;  // body = null: an If, whose bodies are the then and the else branch
  std::span<Program> bodies;
  size_t session_offset[2];  // of each body's session, in the step's arguments
  size_t room_bytes;         // in the parent's arena, shared by the bodies
};

// A step's arguments; a shape for each output of the node, then the bodies' sessions follow.
struct ControlArgs {
  Session* parent;
  const Step* step;

  mdl_shape* found() { return reinterpret_cast<mdl_shape*>(this + 1); }
  Session& body(size_t b);
};

// Fills `step` for a node whose operator is `control`; its group is set.
mdl_status plan_control(const mdl_graph& graph, const mdl_node& node, const PlaceOptions& options,
                        Arena& arena, Step* step, mdl_error* error);

// mdl_step.run and mdl_step.found of such a step.
mdl_status run_control(const void* args, uint32_t, int64_t, int64_t, void*);
void found_by_control(const void* args, mdl_shape* shapes);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_CONTROL_H_
