// SPDX-License-Identifier: Apache-2.0
//   x ---------------------------------------> Mul (cos) -> Add -> y
//   +-> second half -> Neg -> Concat -> Mul (sin) ------------^     => x, cos, sin
//   +-> first half -------------^                                      -> RotaryEmbedding -> y
//
// The halves are Slices or a Split. Interleaved, they are every second value, each with a dimension
// of its own behind it that a Reshape takes away after the Concat. The bytes stay.
#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

// Half of the last dimension: values start, start + step, ...
struct Half {
  int32_t x = -1;  // -1: it is none
  int64_t start = 0;
  int64_t step = 1;
};

bool is_last(const Rewriter& r, int32_t t, int64_t axis) {
  const auto rank = static_cast<int64_t>(r.tensor(t).dims.size());
  return rank > 0 && (axis == rank - 1 || axis == -1);
}

Half half_of(const Rewriter& r, int32_t t) {
  const Node* node = r.producer(t);
  if (node == nullptr) return {};
  const int32_t x = node->inputs[0];
  if (node->op == "Split" && node->outputs.size() == 2) {
    const int64_t size = r.tensor(t).dims.back();
    if (!is_last(r, x, node->get<int64_t>("axis", 0)) || r.tensor(x).dims.back() != 2 * size) {
      return {};
    }
    return {x, node->outputs[0] == t ? 0 : size, 1};
  }
  if (node->op != "Slice") return {};
  const Dims starts = node->get<Dims>("starts", {}), axes = node->get<Dims>("axes", {});
  const Dims steps = node->get<Dims>("steps", {1});
  if (starts.size() != 1 || axes.size() != 1 || steps.size() != 1 || !is_last(r, x, axes[0]) ||
      r.tensor(x).dims.back() != 2 * r.tensor(t).dims.back()) {
    return {};
  }
  const int64_t width = r.tensor(x).dims.back();
  return {x, starts[0] < 0 ? starts[0] + width : starts[0], steps[0]};
}

// What a half is that has got a dimension of 1 behind it.
int32_t without_last(const Rewriter& r, int32_t t) {
  const Node* node = r.producer(t);
  if (node == nullptr || (node->op != "Unsqueeze" && node->op != "Reshape")) return -1;
  Dims open = r.tensor(node->inputs[0]).dims;
  open.push_back(1);
  return r.tensor(t).dims == open ? node->inputs[0] : -1;
}

struct Turned {
  int32_t x = -1;  // -1: it is none
  bool interleaved = false;
};

// The tensor whose pairs (a, b) are (-b, a) in `t`.
Turned turned(const Rewriter& r, int32_t t) {
  Turned found;
  if (r.uses(t) != 1) return found;
  const Node* join = r.producer(t, "Reshape");
  const bool interleaved = join != nullptr;
  join = r.producer(interleaved ? join->inputs[0] : t, "Concat");
  if (join == nullptr || join->inputs.size() != 2 ||
      !is_last(r, join->outputs[0], join->get<int64_t>("axis", 0))) {
    return found;
  }
  int32_t negative = join->inputs[0], positive = join->inputs[1];
  if (interleaved) {
    negative = without_last(r, negative);
    positive = without_last(r, positive);
  }
  const Node* neg = r.producer(negative, "Neg");
  if (neg == nullptr) return found;
  const Half b = half_of(r, neg->inputs[0]), a = half_of(r, positive);
  if (a.x < 0 || a.x != b.x || r.tensor(a.x).dims != r.tensor(t).dims) return found;
  const int64_t apart = interleaved ? 1 : r.tensor(a.x).dims.back() / 2;
  const int64_t step = interleaved ? 2 : 1;
  if (a.start != 0 || b.start != apart || a.step != step || b.step != step) return found;
  return {a.x, interleaved};
}

struct Match {
  int32_t x, cos, sin;
  bool interleaved;
};

// A value for each place of x's rows.
bool has_rows(const Rewriter& r, int32_t t, int32_t x) {
  const Dims& dims = r.tensor(t).dims;
  return !dims.empty() && dims.back() == r.tensor(x).dims.back();
}

std::optional<Match> match(const Rewriter& r, const Node& node) {
  if (node.op != "Add" || r.tensor(node.outputs[0]).dtype != MDL_FLOAT32) return {};
  for (const size_t i : {0, 1}) {
    const Node* straight = r.producer(node.inputs[i], "Mul");
    const Node* across = r.producer(node.inputs[1 - i], "Mul");
    if (straight == nullptr || across == nullptr || r.uses(node.inputs[0]) != 1 ||
        r.uses(node.inputs[1]) != 1) {
      continue;
    }
    for (const size_t j : {0, 1}) {
      const Turned found = turned(r, across->inputs[j]);
      for (const size_t k : {0, 1}) {
        if (found.x < 0 || straight->inputs[k] != found.x ||
            r.tensor(found.x).dims != r.tensor(node.outputs[0]).dims) {
          continue;
        }
        const Match whole = {found.x, straight->inputs[1 - k], across->inputs[1 - j],
                             found.interleaved};
        if (has_rows(r, whole.cos, whole.x) && has_rows(r, whole.sin, whole.x)) return whole;
      }
    }
  }
  return {};
}

}  // namespace

Graph fuse_rotary(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  for (const Node& node : graph.nodes) {
    const auto found = match(rewrite, node);
    if (!found) {
      rewrite.keep(node);
      continue;
    }
    rewrite.build.set_name(node.name);
    rewrite.set(
        node.outputs[0],
        rewrite.build.add("RotaryEmbedding",
                          {rewrite.at(found->x), rewrite.at(found->cos), rewrite.at(found->sin)},
                          {{"interleaved", int64_t{found->interleaved ? 1 : 0}}}));
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
