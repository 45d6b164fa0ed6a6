// SPDX-License-Identifier: Apache-2.0
// Constants that a file holds in fewer bytes than steps compute with: int8 behind a
// DequantizeLinear, float16 behind a Cast. They are widened once, while the program is planned.
#ifndef MEDULLA_SRC_GRAPH_WIDEN_H_
#define MEDULLA_SRC_GRAPH_WIDEN_H_

#include "medulla/backend.h"
#include "src/base/arena.h"

namespace medulla {

// Each tensor that such a node makes of a constant becomes a constant of the graph, by the
// operator's reference, in lasting memory; nothing runs the node any more. What an output or a
// state reads is left alone.
mdl_status widen_constants(Arena& arena, mdl_graph* graph, mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_WIDEN_H_
