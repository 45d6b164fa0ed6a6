// SPDX-License-Identifier: Apache-2.0
//   q -> [Mul] ------------> MatMul -> [Mul] -> [Where, Add] -> Softmax -> MatMul -> y
//   k -> [Mul] -> Transpose ---^                     ^                       ^
//                                       mask --------+        v -------------+
//                                    => q, k, v, mask -> Attention -> y
//
// A scalar factor may stand at q, at k and behind the product; they become one. The mask is added,
// or a Where puts -1e9 or less in its place. What PyTorch writes around these goes too: the Where
// that makes zeros of a row of NaN, heads of k and v that are repeated by Expand, and the
// Transposes
//
//   [B, L, H, D] -> Transpose -> [B, H, L, D] -> attention -> Transpose -> [B, L, H, D]
//   [B, L, 3, H, D] -> Transpose -> Split, Squeeze or Gather -> [B, H, L, D]
//
// for rows of q, k and v are read where they lie. Results differ by roundings where a scale is no
// power of two, and are zero where no key may be attended. Nothing is fused across a
// QuantizeLinear.
#include <cmath>
#include <numeric>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

const Dims kHeadsFirst = {0, 2, 1, 3};  // [B, L, H, D] <-> [B, H, L, D]
// What an exporter means as minus infinity, and what a score vanishes in when it is added.
constexpr double kHidden = -1e9;

// `tensor` transposed by `perm`, times `scale`.
struct Operand {
  int32_t tensor = -1;
  Dims perm;
  double scale = 1;
};

struct Mask {
  int32_t condition = -1;  // -1: `addend` is added
  bool inverted = false;   // where it is true the score gives way to `fill`
  double fill = 0;
  int32_t addend = -1;
};

struct Match {
  Operand q, k, v;
  double scale = 1;
  std::vector<Mask> masks;
};

class Matcher {
 public:
  explicit Matcher(const Rewriter& rewriter) : r(rewriter) {}

  // The attention that ends in `node`.
  std::optional<Match> match(const Node& node) const {
    Match found;
    const Node* softmax = softmax_of(node);
    if (softmax == nullptr) return {};
    const int32_t s = softmax->inputs[0];
    if (!scores(s, dims(s), false, &found)) return {};
    found.v = read(node.inputs[1], false, false);
    const Dims q = shape_of(found.q), k = shape_of(found.k), v = shape_of(found.v);
    found.scale *= found.q.scale * found.k.scale;
    const bool fits = q[0] == k[0] && k[0] == v[0] &&
                      (q.size() == 3 || (k[1] == v[1] && k[1] > 0 && q[1] % k[1] == 0));
    if (!fits || !std::isnormal(static_cast<float>(found.scale))) return {};
    return found;
  }

  Dims shape_of(const Operand& operand) const {
    return permuted(dims(operand.tensor), operand.perm);
  }

 private:
  const Dims& dims(int32_t t) const { return r.tensor(t).dims; }
  bool once(int32_t t) const { return r.uses(t) == 1; }

  // The Softmax whose weights the product `node` takes, perhaps past a guard against NaN.
  const Node* softmax_of(const Node& node) const {
    if (node.op != "MatMul" || r.tensor(node.outputs[0]).dtype != MDL_FLOAT32) return nullptr;
    int32_t weights = node.inputs[0];
    if (!once(weights)) return nullptr;
    size_t uses = 1;
    if (const Node* guard = r.producer(weights, "Where"); guard != nullptr) {
      weights = guard->inputs[2];
      const Node* nan = r.producer(guard->inputs[0], "IsNaN");
      if (nan == nullptr || nan->inputs[0] != weights || r.number(guard->inputs[1]) != 0) {
        return nullptr;
      }
      uses = 2;
    }
    const Node* softmax = r.producer(weights, "Softmax");
    if (softmax == nullptr || r.uses(weights) != uses) return nullptr;
    const auto rank = static_cast<int64_t>(dims(weights).size());
    const auto axis = softmax->get<int64_t>("axis", -1);
    const bool stacks = dims(node.inputs[1]).size() == dims(weights).size();
    const bool fits = (axis == -1 || axis == rank - 1) && stacks && (rank == 3 || rank == 4);
    return fits ? softmax : nullptr;
  }

  // x * scalar or x / scalar, of use here alone: x, or -1.
  int32_t unscaled(int32_t t, double* scale) const {
    const Node* node = r.producer(t);
    if (node == nullptr || !once(t)) return -1;
    for (const size_t i : {1, 0}) {
      if (node->op != "Mul" && (node->op != "Div" || i == 0)) continue;
      const auto factor = r.number(node->inputs[i]);
      const int32_t x = node->inputs[1 - i];
      if (!factor || dims(x) != dims(t)) continue;
      *scale *= node->op == "Mul" ? *factor : 1 / *factor;
      return x;
    }
    return -1;
  }

  // Whether `t` are scores, of that shape. `bare`: a factor was found that goes for all in it.
  bool scores(int32_t t, const Dims& shape, bool bare, Match* found) const {
    const Node* node = r.producer(t);
    if (node == nullptr || dims(t) != shape || !once(t)) return false;
    if (node->op == "MatMul") {
      for (const int32_t input : node->inputs) {
        if (dims(input).size() != shape.size()) return false;
      }
      found->q = read(node->inputs[0], false, true);
      found->k = read(node->inputs[1], true, true);
      return true;
    }
    if (const int32_t inner = unscaled(t, &found->scale); inner >= 0) {
      return scores(inner, shape, true, found);
    }
    if (bare) return false;
    if (node->op == "Add") {
      for (const size_t i : {0, 1}) {
        Match inner = *found;
        if (!scores(node->inputs[i], shape, false, &inner)) continue;
        inner.masks.push_back({.addend = node->inputs[1 - i]});
        *found = inner;
        return r.tensor(node->inputs[1 - i]).dtype == MDL_FLOAT32;
      }
      return false;
    }
    if (node->op != "Where") return false;
    for (const size_t i : {1, 2}) {
      const auto fill = r.number(node->inputs[3 - i]);
      if (!fill || !(*fill <= kHidden) || !scores(node->inputs[i], shape, false, found)) continue;
      found->masks.push_back({.condition = node->inputs[0], .inverted = i == 2, .fill = *fill});
      return true;
    }
    return false;
  }

  // Looks through Transposes, repeated heads and, with `scales`, factors. `turned`: the last two
  // dimensions are to change places.
  Operand read(int32_t t, bool turned, bool scales) const {
    const size_t rank = dims(t).size();
    Operand found{t, Dims(rank), 1};
    std::iota(found.perm.begin(), found.perm.end(), 0);
    if (turned) std::swap(found.perm[rank - 1], found.perm[rank - 2]);
    while (true) {
      const Node* transpose = r.producer(found.tensor, "Transpose");
      int32_t next = scales ? unscaled(found.tensor, &found.scale) : -1;
      if (next < 0 && transpose != nullptr && transpose->get<Dims>("perm", {}).size() == rank) {
        found.perm = permuted(transpose->get<Dims>("perm", {}), found.perm);
        next = transpose->inputs[0];
      }
      if (next < 0 && rank == 4) next = unrepeated(found.tensor);
      if (next < 0) return found;
      found.tensor = next;
    }
  }

  // [B, H, ...] -> Unsqueeze or Reshape -> Expand -> [B, H, G, ...] -> Reshape -> [B, H * G, ...]:
  // the first, or -1. Any other axis holds its extent.
  int32_t unrepeated(int32_t t) const {
    const Node* join = r.producer(t, "Reshape");
    const Node* expand = join != nullptr ? r.producer(join->inputs[0], "Expand") : nullptr;
    const Node* open = expand != nullptr ? r.producer(expand->inputs[0]) : nullptr;
    if (open == nullptr || (open->op != "Unsqueeze" && open->op != "Reshape")) return -1;
    const Dims x = dims(open->inputs[0]);
    if (x.size() != 4 || dims(expand->inputs[0]) != Dims{x[0], x[1], 1, x[2], x[3]}) return -1;
    const Dims wide = dims(join->inputs[0]);
    const bool fits = wide == Dims{x[0], x[1], wide.at(2), x[2], x[3]} &&
                      dims(t) == Dims{x[0], x[1] * wide[2], x[2], x[3]};
    return fits ? open->inputs[0] : -1;
  }

  const Rewriter& r;
};

// One part of [B, L, 3, H, D] that a Transpose brought to the front: [B, H, L, D], number `part`.
struct Part {
  int32_t source = -1;  // -1: it is none
  int64_t part = 0;
};

Part part_of(const Rewriter& r, int32_t t) {
  const Node* pick = r.producer(t);
  if (pick == nullptr) return {};
  Part found;
  int32_t parts = -1;
  if (pick->op == "Squeeze" && pick->get<Dims>("axes", {}) == Dims{0}) {
    const Node* split = r.producer(pick->inputs[0], "Split");
    if (split == nullptr || split->get<int64_t>("axis", 0) != 0) return {};
    while (split->outputs[static_cast<size_t>(found.part)] != pick->inputs[0]) ++found.part;
    parts = split->inputs[0];
    if (r.tensor(parts).dims[0] != static_cast<int64_t>(split->outputs.size())) return {};
  } else if (pick->op == "Gather" && pick->get<int64_t>("axis", 0) == 0) {
    const Tensor& index = r.tensor(pick->inputs[1]);
    if (!index.data || index.dtype != MDL_INT64 || !index.dims.empty()) return {};
    found.part = values_of<int64_t>(index)[0];
    parts = pick->inputs[0];
    const int64_t count = r.tensor(parts).dims[0];
    if (found.part < 0) found.part += count;
    if (found.part < 0 || found.part >= count) return {};
  }
  const Node* transpose = r.producer(parts, "Transpose");
  if (transpose == nullptr || transpose->get<Dims>("perm", {}) != Dims{2, 0, 3, 1, 4}) return {};
  found.source = transpose->inputs[0];
  return found;
}

class Writer {
 public:
  Writer(Rewriter& rewriter, const Match& match) : rewrite(rewriter), found(match) {}

  // [B, L, ...] as [B, L] and `tail`, however long B and L are.
  int32_t regroup(int32_t t, const Dims& tail) {
    Dims shape = {0, 0};
    shape.insert(shape.end(), tail.begin(), tail.end());
    return rewrite.build.add("Reshape", {t}, {{"shape", shape}});
  }

  // [B, L, H * D], where the operand lies so that this costs no copy of single heads; -1: no.
  int32_t rows(const Operand& operand) {
    const Dims& dims = rewrite.tensor(operand.tensor).dims;
    if (operand.perm == kHeadsFirst) {
      return regroup(rewrite.at(operand.tensor), {dims[2] * dims[3]});
    }
    const Part part =
        is_identity(operand.perm) && dims.size() == 4 ? part_of(rewrite, operand.tensor) : Part{};
    if (part.source < 0) return -1;
    const Dims& whole = rewrite.tensor(part.source).dims;
    const int64_t width = whole[3] * whole[4];
    const int32_t flat = regroup(rewrite.at(part.source), {whole[2] * width});
    return rewrite.build.add("Slice", {flat},
                             {{"axes", Dims{2}},
                              {"starts", Dims{part.part * width}},
                              {"ends", Dims{(part.part + 1) * width}}});
  }

  // y of the shape that q has.
  int32_t attention(int32_t q) {
    Builder& build = rewrite.build;
    Attributes attributes = {{"scale", static_cast<double>(static_cast<float>(found.scale))}};
    const bool stack = found.q.perm.size() == 3;
    if (stack) {
      attributes["num_heads"] = int64_t{1};
    } else if (build.rank(q) == 3) {
      attributes["num_heads"] = heads(found.q);
    }
    std::vector<int32_t> inputs = {q};
    for (const Operand* operand : {&found.k, &found.v}) {
      int32_t flat = stack ? -1 : rows(*operand);
      if (flat >= 0) attributes["kv_num_heads"] = heads(*operand);
      if (flat < 0) flat = build.transpose(rewrite.at(operand->tensor), operand->perm);
      inputs.push_back(flat);
    }
    if (!found.masks.empty()) inputs.push_back(mask(stack));
    return build.add("Attention", std::move(inputs), std::move(attributes));
  }

 private:
  int64_t heads(const Operand& operand) const {
    return rewrite.tensor(operand.tensor).dims[static_cast<size_t>(operand.perm[1])];
  }

  int32_t mask(bool stack) {
    Builder& build = rewrite.build;
    int32_t sum = -1;
    for (const Mask& mask : found.masks) {
      int32_t term = rewrite.at(mask.addend);
      if (term < 0) {
        const int32_t condition = rewrite.at(mask.condition);
        const bool selects = std::isinf(mask.fill) && found.masks.size() == 1;
        const int32_t fill = build.scalar(static_cast<float>(mask.fill)), zero = build.scalar(0);
        if (selects) {
          term = mask.inverted ? build.add("Not", {condition}) : condition;
        } else if (mask.inverted) {
          term = build.add("Where", {condition, fill, zero});
        } else {
          term = build.add("Where", {condition, zero, fill});
        }
      }
      sum = sum < 0 ? term : build.add("Add", {sum, term});
    }
    // [N, Lq, Lk] is one head's.
    return stack && build.rank(sum) == 3 ? build.add("Unsqueeze", {sum}, {{"axes", Dims{1}}}) : sum;
  }

  Rewriter& rewrite;
  const Match& found;
};

}  // namespace

Graph fuse_attention(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  const Matcher matcher(rewrite);
  for (const Node& node : graph.nodes) {
    // Where the heads are put side by side again, y keeps the rows of q.
    const Node* product = node.op == "Transpose" && node.get<Dims>("perm", {}) == kHeadsFirst
                              ? rewrite.producer(node.inputs[0], "MatMul")
                              : nullptr;
    const bool joins = product != nullptr && rewrite.uses(node.inputs[0]) == 1;
    const auto found = matcher.match(joins ? *product : node);
    if (!found) {
      rewrite.keep(node);
      continue;
    }
    rewrite.build.set_name(joins ? product->name : node.name);
    Writer writer(rewrite, *found);
    const int32_t y = node.outputs[0];
    if (!joins) {
      const int32_t q = rewrite.build.transpose(rewrite.at(found->q.tensor), found->q.perm);
      rewrite.set(y, writer.attention(q));
    } else if (const int32_t q = writer.rows(found->q); q >= 0) {
      const Dims& dims = rewrite.tensor(y).dims;
      rewrite.set(y, writer.regroup(writer.attention(q), {dims[2], dims[3]}));
    } else {
      rewrite.keep(node);
    }
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
