// SPDX-License-Identifier: Apache-2.0
//   x -> Transpose -> Conv a           x -> Transpose -> Conv a
//   x -> Transpose -> Conv b      =>                  -> Conv b
//
// Equal nodes on equal inputs are computed once, and equal constants are stored once.
#include <map>
#include <tuple>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

using QuantizationKey = std::tuple<std::vector<float>, std::vector<int32_t>, int32_t>;

QuantizationKey key_of(const std::optional<Quantization>& q) {
  if (!q) return {};
  return {q->scales, q->zero_points, q->axis};
}

// Doubles compare by value; a NaN in an attribute makes a node equal to none.
using NodeKey = std::tuple<std::string, uint32_t, std::vector<int32_t>,
                           std::vector<std::pair<mdl_dtype, QuantizationKey>>>;

struct LessConstant {
  bool operator()(const Tensor* a, const Tensor* b) const {
    if (a->dtype != b->dtype) return a->dtype < b->dtype;
    if (a->dims != b->dims) return a->dims < b->dims;
    const QuantizationKey qa = key_of(a->quantization), qb = key_of(b->quantization);
    return qa != qb ? qa < qb : *a->data < *b->data;
  }
};

}  // namespace

Graph common_subexpressions(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  std::map<const Tensor*, int32_t, LessConstant> constants;
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const Tensor& tensor = graph.tensors[t];
    if (!tensor.data) continue;
    const auto id = static_cast<int32_t>(t);
    const auto [first, fresh] = constants.emplace(&tensor, id);
    if (!fresh) rewrite.set(id, rewrite.at(first->second));
  }
  std::multimap<NodeKey, const Node*> seen;
  for (const Node& node : graph.nodes) {
    NodeKey key{node.op, node.version, {}, {}};
    for (const int32_t t : node.inputs) std::get<2>(key).push_back(rewrite.at(t));
    for (const int32_t t : node.outputs) {
      auto& types = std::get<3>(key);
      if (t < 0) {
        types.emplace_back();
      } else {
        types.emplace_back(rewrite.tensor(t).dtype, key_of(rewrite.tensor(t).quantization));
      }
    }
    const auto [begin, end] = seen.equal_range(key);
    const Node* twin = nullptr;
    for (auto it = begin; it != end && twin == nullptr; ++it) {
      if (it->second->attributes == node.attributes) twin = it->second;
    }
    if (twin == nullptr) {
      seen.emplace(std::move(key), &node);
      rewrite.keep(node);
      continue;
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] >= 0) rewrite.set(node.outputs[o], rewrite.at(twin->outputs[o]));
    }
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
