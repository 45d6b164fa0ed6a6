// SPDX-License-Identifier: Apache-2.0
// Where every tensor lies. Tensors share memory when one is a view of another, when a step writes
// over its input, and when a concatenation's parts are made in its output's slices; what is left
// gets offsets in the arena.
#ifndef MEDULLA_SRC_GRAPH_MEMORY_H_
#define MEDULLA_SRC_GRAPH_MEMORY_H_

#include <span>

#include "src/graph/program.h"
#include "src/graph/uses.h"

namespace medulla {

// Sets program->steps, in lasting memory and without the concatenations that are placed, and
// storages, places, node_step; the storages have no offset yet. `placed` is what place_nodes gave.
mdl_status plan_sharing(const Uses& uses, std::span<Step> placed, bool share, Arena& arena,
                        Program* program, mdl_error* error);

// A storage's part in the plan of offsets.
struct Span {
  int32_t first;
  int32_t last;
  size_t bytes;   // a multiple of MDL_ALIGNMENT
  size_t offset;  // result
};

// Gives each span an offset, so that no two that are live at once overlap; returns the bytes of the
// whole. `order` is room for three indices a span, `room` for one offset a span. `bound` is
// lower_bound's result: the search ends when it is reached.
size_t plan_offsets(std::span<Span> spans, std::span<int32_t> order, std::span<size_t> room,
                    size_t bound);

// The largest sum of live spans at any of the positions 0 to `end`; sums is room for end + 2.
size_t lower_bound(std::span<const Span> spans, int32_t end, std::span<int64_t> sums);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_MEMORY_H_
