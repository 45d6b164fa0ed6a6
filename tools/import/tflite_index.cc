// SPDX-License-Identifier: Apache-2.0
// What picks and places elements by indices that may be computed at run time.
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

int32_t as_int64(Builder& build, int32_t x) {
  if (build.tensor(x).dtype == MDL_INT64) return x;
  return build.add_typed("Cast", {x}, {{"to", int64_t{MDL_INT64}}}, MDL_INT64);
}

}  // namespace

void convert_gather_nd(TfliteNode& node) {
  const int32_t at = as_int64(node.build, node.stored(1));
  node.set(0, node.build.add_like("GatherND", {node.moved(0), at}, {}));
}

// EMBEDDING_LOOKUP(indices, table)
void convert_embedding_lookup(TfliteNode& node) {
  node.set(0,
           node.build.add_like("Gather", {node.moved(1), node.stored(0)}, {{"axis", int64_t{0}}}));
}

// DYNAMIC_UPDATE_SLICE(x, update, starts): the start is moved until the update lies inside. Behind
// the last dimension in which it can lie elsewhere it is written in whole pieces.
void convert_dynamic_update_slice(TfliteNode& node) {
  constexpr size_t kMostIndices = size_t{1} << 24;
  Builder& build = node.build;
  const bool integers = node.moved(0, 2) == node.stored(0);
  const int32_t x = integers ? node.stored(0) : node.value(0);
  const int32_t update = integers ? node.stored(1) : node.value(1);
  node.require_static(x, "DYNAMIC_UPDATE_SLICE");
  node.require_static(update, "DYNAMIC_UPDATE_SLICE");
  const Dims dims = build.dims(x), part = build.dims(update);
  if (part.size() != dims.size()) refuse("the update should have the rank of what it goes into");
  Dims room;
  size_t moves = 0;  // dimensions up to the last in which the update can lie elsewhere
  for (size_t d = 0; d < dims.size(); ++d) {
    room.push_back(dims[d] - part[d]);
    if (room[d] < 0) refuse("the update is larger than what it goes into");
    if (room[d] > 0) moves = d + 1;
  }
  if (moves == 0) return node.set(0, update);
  const auto depth = static_cast<int64_t>(moves);
  Dims shape(part.begin(), part.begin() + depth);
  size_t pieces = 1;
  for (const int64_t extent : shape) pieces *= static_cast<size_t>(extent);
  if (pieces * moves > kMostIndices) refuse("the update has too many pieces to name each");
  std::vector<int64_t> steps;
  Dims index(moves, 0);
  for (size_t p = 0; p < pieces; ++p) {
    steps.insert(steps.end(), index.begin(), index.end());
    for (size_t d = moves; d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  shape.push_back(depth);
  room.resize(moves);
  int32_t at = build.add("Slice", {as_int64(build, node.stored(2))},
                         {{"starts", Dims{0}}, {"ends", Dims{depth}}, {"axes", Dims{0}}});
  at = build.add("Max", {at, build.constant(MDL_INT64, Dims{}, Dims{0})});
  at = build.add("Min", {at, build.constant(MDL_INT64, {depth}, room)});
  at = build.add("Add", {build.constant(MDL_INT64, shape, steps), at});
  node.set(0, build.add_like("ScatterND", {x, at, update}, {{"reduction", "none"}}));
}

void convert_top_k(TfliteNode& node) {
  Builder& build = node.build;
  const Dims k = node.constant_ints(1, "k");
  if (k.size() != 1) refuse("k is " + std::to_string(k.size()) + " numbers");
  const std::vector<int32_t> y =
      build.add_many("TopK", {node.value(0)}, {{"k", k[0]}, {"axis", int64_t{-1}}}, {true, true});
  const mdl_dtype to = tflite_dtype(node.scope.tensor(node.output(1)).type());
  node.set(0, y[0]);
  node.set(1, build.tensor(y[1]).dtype == to
                  ? y[1]
                  : build.add_typed("Cast", {y[1]}, {{"to", static_cast<int64_t>(to)}}, to));
}

}  // namespace medulla::tools
