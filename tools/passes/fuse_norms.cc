// SPDX-License-Identifier: Apache-2.0
// Over trailing dimensions, with d = x - ReduceMean(x):
//   d / Sqrt(ReduceMean(d^2) + epsilon) [* scale [+ bias]]     => LayerNormalization
//   x / Sqrt(ReduceMean(x^2) + epsilon) * scale                => RMSNormalization
// The square is written as Pow or as a product, the quotient as Div or as Reciprocal and Mul. The
// operators sum in an order of their own: results differ by roundings. Rows are of one length, for
// their scale is a constant: dimensions that vary are not among theirs.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

struct Rows {
  int32_t x = -1;
  int64_t axis = 0;
  double epsilon = 0;
  bool centered = false;
};

// The tensor whose mean over all dimensions from *axis on `t` is; -1 when it is none.
int32_t mean_over_rows(const Rewriter& r, int32_t t, int64_t* axis) {
  const Node* mean = r.producer(t, "ReduceMean");
  if (mean == nullptr || mean->get<int64_t>("keepdims", 1) == 0) return -1;
  const auto rank = static_cast<int64_t>(r.tensor(mean->inputs[0]).dims.size());
  Dims axes = mean->get<Dims>("axes", {});
  for (int64_t& a : axes) a += a < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  if (axes.empty()) return -1;
  *axis = axes.front();
  Dims trailing(static_cast<size_t>(rank - *axis));
  std::iota(trailing.begin(), trailing.end(), *axis);
  const auto& symbols = r.tensor(mean->inputs[0]).symbols;
  for (auto d = static_cast<size_t>(*axis); d < symbols.size(); ++d) {
    if (!symbols[d].empty()) return -1;
  }
  return axes == trailing ? mean->inputs[0] : -1;
}

// What `t` is the square of, or -1.
int32_t root_of(const Rewriter& r, int32_t t) {
  if (const Node* mul = r.producer(t, "Mul"); mul != nullptr && mul->inputs[0] == mul->inputs[1]) {
    return mul->inputs[0];
  }
  const Node* pow = r.producer(t, "Pow");
  return pow != nullptr && r.number(pow->inputs[1]) == 2.0 ? pow->inputs[0] : -1;
}

// Whether `t` is Sqrt(ReduceMean(value^2) + epsilon).
bool is_deviation(const Rewriter& r, int32_t t, int32_t value, Rows* rows) {
  const Node* root = r.producer(t, "Sqrt");
  const Node* add = root != nullptr ? r.producer(root->inputs[0], "Add") : nullptr;
  for (const size_t i : {0, 1}) {
    const auto epsilon = add != nullptr ? r.number(add->inputs[i]) : std::nullopt;
    if (!epsilon || *epsilon < 0) continue;
    const int32_t square = mean_over_rows(r, add->inputs[1 - i], &rows->axis);
    rows->epsilon = *epsilon;
    return square >= 0 && root_of(r, square) == value;
  }
  return false;
}

// value / Sqrt(...): the value, or -1.
int32_t quotient(const Rewriter& r, const Node& node, Rows* rows) {
  if (node.op == "Div" && is_deviation(r, node.inputs[1], node.inputs[0], rows)) {
    return node.inputs[0];
  }
  for (const size_t i : {0, 1}) {
    const Node* inverse = node.op == "Mul" ? r.producer(node.inputs[i], "Reciprocal") : nullptr;
    if (inverse != nullptr && is_deviation(r, inverse->inputs[0], node.inputs[1 - i], rows)) {
      return node.inputs[1 - i];
    }
  }
  return -1;
}

std::optional<Rows> match_rows(const Rewriter& r, const Node& node) {
  Rows rows;
  rows.x = quotient(r, node, &rows);
  if (rows.x < 0) return {};
  const Node* sub = r.producer(rows.x, "Sub");
  int64_t axis;
  if (sub != nullptr && mean_over_rows(r, sub->inputs[1], &axis) == sub->inputs[0] &&
      axis == rows.axis) {
    rows.x = sub->inputs[0];
    rows.centered = true;
  }
  return rows;
}

// A constant that scales or shifts rows: of the dimensions from the axis on, once leading ones go.
bool is_row_parameter(const Rewriter& r, int32_t t, const Rows& rows) {
  const Tensor& parameter = r.tensor(t);
  if (!parameter.data || parameter.dtype != MDL_FLOAT32) return false;
  Dims dims = parameter.dims;
  while (!dims.empty() && dims.front() == 1) dims.erase(dims.begin());
  const Dims& x = r.tensor(rows.x).dims;
  return Dims(x.begin() + rows.axis, x.end()) == dims;
}

// The node's other operand where one of them is a row parameter, which becomes *parameter.
int32_t beside_parameter(const Rewriter& r, const Node& node, const Rows& rows,
                         int32_t* parameter) {
  for (const size_t i : {0, 1}) {
    if (!is_row_parameter(r, node.inputs[i], rows)) continue;
    *parameter = node.inputs[i];
    return node.inputs[1 - i];
  }
  return -1;
}

struct Norm {
  Rows rows;
  int32_t scale = -1;
  int32_t bias = -1;
};

// The norm that ends in `node`, with as much of scale and bias as is there.
std::optional<Norm> match(const Rewriter& r, const Node& node) {
  if (const auto rows = match_rows(r, node)) return Norm{*rows};
  if (node.op != "Mul" && node.op != "Add") return {};
  for (const int32_t t : node.inputs) {
    const Node* inner = r.producer(t);
    const bool fits = inner != nullptr &&
                      (node.op == "Add" ? inner->op == "Mul" : match_rows(r, *inner).has_value());
    auto norm = fits ? match(r, *inner) : std::nullopt;
    if (!norm) continue;
    int32_t* parameter = node.op == "Mul" ? &norm->scale : &norm->bias;
    const bool free = *parameter < 0 && (node.op == "Mul" || norm->scale >= 0);
    if (free && beside_parameter(r, node, norm->rows, parameter) == t) return norm;
  }
  return {};
}

}  // namespace

Graph fuse_norms(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  for (const Node& node : graph.nodes) {
    const auto norm = match(rewrite, node);
    if (!norm || (!norm->rows.centered && norm->bias >= 0) ||
        rewrite.tensor(norm->rows.x).dtype != MDL_FLOAT32 ||
        rewrite.tensor(norm->rows.x).dims != rewrite.tensor(node.outputs[0]).dims) {
      rewrite.keep(node);
      continue;
    }
    Builder& build = rewrite.build;
    build.set_name(node.name);
    const Dims& x = rewrite.tensor(norm->rows.x).dims;
    const Dims row(x.begin() + norm->rows.axis, x.end());
    int32_t scale = norm->scale;
    if (scale >= 0) {
      scale = build.reshape(rewrite.at(scale), row);
    } else {
      const auto count = std::accumulate(row.begin(), row.end(), int64_t{1}, std::multiplies<>());
      scale = build.constant(MDL_FLOAT32, row, std::vector<float>(static_cast<size_t>(count), 1));
    }
    std::vector<int32_t> inputs = {rewrite.at(norm->rows.x), scale};
    if (norm->bias >= 0) inputs.push_back(build.reshape(rewrite.at(norm->bias), row));
    Node fused{node.name,
               norm->rows.centered ? "LayerNormalization" : "RMSNormalization",
               1,
               {{"axis", norm->rows.axis}, {"epsilon", norm->rows.epsilon}},
               std::move(inputs),
               {rewrite.at(node.outputs[0])}};
    rewrite.to.nodes.push_back(std::move(fused));
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
