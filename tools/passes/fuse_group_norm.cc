// SPDX-License-Identifier: Apache-2.0
//   x [N, C, ...] -> Reshape [N, G, ...] -> InstanceNormalization -> Reshape -> [Mul -> [Add]] -> y
//                        => x -> Transpose -> GroupNormalization, G groups -> Transpose -> y
//
// What PyTorch writes. Instead of the norm, which is a GroupNormalization between Transposes by
// now, there may be a LayerNormalization of the dimensions behind G, as fuse_norms makes it of
// means. The parameters of norm, Mul and Add become one scale and one bias a channel. The operator
// sums in an order of its own: results differ by roundings.
#include <algorithm>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

struct Groups {
  int32_t x = -1;
  int64_t count = 0;
  double epsilon = 0;
  std::vector<double> scale, bias;  // of each channel
};

// The constant as `count` values, or empty.
std::vector<double> constant_of(const Rewriter& r, int32_t t, size_t count) {
  const Tensor& tensor = r.tensor(t);
  if (!tensor.data || tensor.dtype != MDL_FLOAT32 || tensor.elements() != count) return {};
  const std::vector<float> values = values_of<float>(tensor);
  return {values.begin(), values.end()};
}

// The same for one that broadcasts along the channels of [N, C, ...].
std::vector<double> by_channel(const Rewriter& r, int32_t t, const Dims& x) {
  const auto channels = static_cast<size_t>(x[1]);
  Dims dims = r.tensor(t).dims;
  if (const auto value = r.number(t); value && dims.size() <= x.size()) {
    return std::vector<double>(channels, *value);
  }
  while (dims.size() < x.size()) dims.insert(dims.begin(), 1);
  Dims wanted(x.size(), 1);
  wanted[1] = x[1];
  return dims == wanted ? constant_of(r, t, channels) : std::vector<double>{};
}

// The norm of each group that makes `t` of [N, G, ...], and what goes into it; -1: none.
int32_t normalized(const Rewriter& r, int32_t t, Groups* groups) {
  const Dims& dims = r.tensor(t).dims;
  if (dims.size() < 3 || r.uses(t) != 1) return -1;
  const auto count = static_cast<size_t>(dims[1]);
  if (const Node* layer = r.producer(t, "LayerNormalization"); layer != nullptr) {
    const auto axis = layer->get<int64_t>("axis", -1);
    const auto scale = constant_of(r, layer->inputs[1], r.tensor(layer->inputs[1]).elements());
    const bool plain = layer->inputs.size() == 2 && layer->outputs.size() == 1 &&
                       axis + (axis < 0 ? static_cast<int64_t>(dims.size()) : 0) == 2 &&
                       !scale.empty() &&
                       std::all_of(scale.begin(), scale.end(), [](double s) { return s == 1; });
    if (!plain) return -1;
    groups->scale.assign(count, 1);
    groups->bias.assign(count, 0);
    groups->epsilon = layer->get<double>("epsilon", 1e-5f);
    return layer->inputs[0];
  }
  const Node* back = r.producer(t, "Transpose");
  const Node* norm = back != nullptr ? r.producer(back->inputs[0], "GroupNormalization") : nullptr;
  const Node* there = norm != nullptr ? r.producer(norm->inputs[0], "Transpose") : nullptr;
  if (there == nullptr || r.uses(back->inputs[0]) != 1 ||
      there->get<Dims>("perm", {}) != to_channels_last_perm(dims.size()) ||
      back->get<Dims>("perm", {}) != to_channels_first_perm(dims.size()) ||
      norm->get<int64_t>("num_groups", 0) != dims[1]) {
    return -1;
  }
  groups->scale = constant_of(r, norm->inputs[1], count);
  groups->bias = constant_of(r, norm->inputs[2], count);
  groups->epsilon = norm->get<double>("epsilon", 1e-5f);
  return groups->scale.empty() || groups->bias.empty() ? -1 : there->inputs[0];
}

// Reshape -> norm -> Reshape.
std::optional<Groups> match_groups(const Rewriter& r, const Node& node) {
  if (node.op != "Reshape") return {};
  Groups groups;
  const int32_t inner = normalized(r, node.inputs[0], &groups);
  const Node* split = r.producer(inner, "Reshape");
  if (split == nullptr) return {};
  groups.x = split->inputs[0];
  const Dims &x = r.tensor(groups.x).dims, &wide = r.tensor(inner).dims;
  if (x.size() < 3 || x != r.tensor(node.outputs[0]).dims || wide[0] != x[0] || wide[1] < 1 ||
      x[1] % wide[1] != 0) {
    return {};
  }
  groups.count = wide[1];
  const int64_t size = x[1] / wide[1];
  for (std::vector<double>* values : {&groups.scale, &groups.bias}) {
    std::vector<double> spread;
    for (const double v : *values) spread.insert(spread.end(), static_cast<size_t>(size), v);
    *values = spread;
  }
  return groups;
}

// The same with as much of Mul and Add as is there.
std::optional<Groups> match(const Rewriter& r, const Node& node) {
  if (node.op == "Reshape") return match_groups(r, node);
  if (node.op != "Mul" && node.op != "Add") return {};
  for (const size_t i : {0, 1}) {
    const Node* inner = r.producer(node.inputs[i]);
    if (inner == nullptr || r.uses(node.inputs[i]) != 1) continue;
    auto groups = node.op == "Mul" ? match_groups(r, *inner) : match(r, *inner);
    if (!groups || inner->op == "Add") continue;
    const Dims& x = r.tensor(groups->x).dims;
    const std::vector<double> values = by_channel(r, node.inputs[1 - i], x);
    if (values.empty() || r.tensor(node.outputs[0]).dims != x) continue;
    for (size_t c = 0; c < values.size(); ++c) {
      if (node.op == "Mul") {
        groups->scale[c] *= values[c];
        groups->bias[c] *= values[c];
      } else {
        groups->bias[c] += values[c];
      }
    }
    return groups;
  }
  return {};
}

int32_t row(Builder& build, const std::vector<double>& values) {
  const std::vector<float> rounded(values.begin(), values.end());
  return build.constant(MDL_FLOAT32, {static_cast<int64_t>(values.size())}, rounded);
}

}  // namespace

Graph fuse_group_norm(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  for (const Node& node : graph.nodes) {
    const auto groups = match(rewrite, node);
    if (!groups) {
      rewrite.keep(node);
      continue;
    }
    Builder& build = rewrite.build;
    build.set_name(node.name);
    const size_t rank = rewrite.tensor(groups->x).dims.size();
    const int32_t x = build.transpose(rewrite.at(groups->x), to_channels_last_perm(rank));
    const int32_t y =
        build.add("GroupNormalization", {x, row(build, groups->scale), row(build, groups->bias)},
                  {{"num_groups", groups->count}, {"epsilon", groups->epsilon}});
    rewrite.set(node.outputs[0], build.transpose(y, to_channels_first_perm(rank)));
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
