// SPDX-License-Identifier: Apache-2.0
//   x -> Sigmoid -> Mul -> y                          x -> Swish -> y
//   +---------------^
//   x * HardSigmoid(x, 1/6, 1/2), x * Clip(x + 3, 0, 6) / 6         => HardSwish
//   x * 1/2 * (1 + Erf(x / sqrt(2)))                                => Gelu
//   x * 1/2 * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))       => Gelu, approximate "tanh"
//
// Products are compared as lists of factors and one scale, so that the order in which an exporter
// wrote them does not matter.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

bool near(double a, double b) { return std::abs(a - b) <= 1e-5 * std::abs(b); }

// What takes more nodes than any pattern has is a factor as it stands, so that a long chain of
// products is not walked again from each of its nodes.
constexpr int kMostNodes = 16;

struct Product {
  double scale = 1;
  std::vector<int32_t> factors;
  int nodes = 0;
};

void multiply(const Rewriter& r, int32_t t, bool root, Product& product) {
  if (const auto value = r.number(t)) {
    product.scale *= *value;
    return;
  }
  const Node* node = r.producer(t);
  const bool inner = node != nullptr && (root || r.uses(t) == 1) && ++product.nodes <= kMostNodes;
  if (inner && node->op == "Mul") {
    multiply(r, node->inputs[0], false, product);
    multiply(r, node->inputs[1], false, product);
  } else if (inner && node->op == "Div" && r.number(node->inputs[1])) {
    multiply(r, node->inputs[0], false, product);
    product.scale /= *r.number(node->inputs[1]);
  } else {
    product.factors.push_back(t);
  }
}

Product product_of(const Rewriter& r, int32_t t) {
  Product product;
  multiply(r, t, true, product);
  return product;
}

bool is_scaled(const Rewriter& r, int32_t t, int32_t x, double scale) {
  const Product p = product_of(r, t);
  return p.factors == std::vector<int32_t>{x} && near(p.scale, scale);
}

// t = other + value; returns other, or -1.
int32_t addend(const Rewriter& r, int32_t t, double value) {
  const Node* add = r.producer(t, "Add");
  if (add == nullptr) return -1;
  for (const size_t i : {0, 1}) {
    const auto constant = r.number(add->inputs[i]);
    if (constant && near(*constant, value)) return add->inputs[1 - i];
  }
  return -1;
}

bool is_relu6_of_x_plus_3(const Rewriter& r, int32_t t, int32_t x) {
  const Node* clip = r.producer(t, "Clip");
  return clip != nullptr && clip->get<double>("min", -1) == 0 &&
         clip->get<double>("max", -1) == 6 && addend(r, clip->inputs[0], 3) == x;
}

bool is_cube(const Rewriter& r, int32_t t, int32_t x) {
  if (const Node* pow = r.producer(t, "Pow")) {
    const auto exponent = r.number(pow->inputs[1]);
    return pow->inputs[0] == x && exponent && *exponent == 3;
  }
  return false;
}

// 0.044715 * x^3, the power written as Pow or as products.
bool is_cubic_term(const Rewriter& r, int32_t t, int32_t x) {
  const Product p = product_of(r, t);
  if (!near(p.scale, 0.044715)) return false;
  if (p.factors.size() == 1) return is_cube(r, p.factors[0], x);
  return p.factors == std::vector<int32_t>{x, x, x};
}

bool is_tanh_argument(const Rewriter& r, int32_t t, int32_t x) {
  const Product p = product_of(r, t);
  if (p.factors.size() != 1 || !near(p.scale, std::sqrt(2 / std::numbers::pi))) return false;
  const Node* add = r.producer(p.factors[0], "Add");
  if (add == nullptr) return false;
  for (const size_t i : {0, 1}) {
    if (add->inputs[i] == x && is_cubic_term(r, add->inputs[1 - i], x)) return true;
  }
  return false;
}

struct Activation {
  std::string op;
  Attributes attributes;
};

// What scale * x * gate is, or nothing.
std::optional<Activation> match(const Rewriter& r, double scale, int32_t x, int32_t gate) {
  if (near(scale, 1)) {
    const Node* sigmoid = r.producer(gate, "Sigmoid");
    if (sigmoid != nullptr && sigmoid->inputs[0] == x) return Activation{"Swish", {}};
    const Node* hard = r.producer(gate, "HardSigmoid");
    if (hard != nullptr && hard->inputs[0] == x && near(hard->get<double>("alpha", 0.2), 1.0 / 6) &&
        near(hard->get<double>("beta", 0.5), 0.5)) {
      return Activation{"HardSwish", {}};
    }
  }
  if (near(scale, 1.0 / 6) && is_relu6_of_x_plus_3(r, gate, x)) return Activation{"HardSwish", {}};
  if (!near(scale, 0.5)) return {};
  const int32_t inner = addend(r, gate, 1);
  if (const Node* erf = r.producer(inner, "Erf");
      erf != nullptr && is_scaled(r, erf->inputs[0], x, 1 / std::numbers::sqrt2)) {
    return Activation{"Gelu", {{"approximate", std::string("none")}}};
  }
  if (const Node* tanh = r.producer(inner, "Tanh");
      tanh != nullptr && is_tanh_argument(r, tanh->inputs[0], x)) {
    return Activation{"Gelu", {{"approximate", std::string("tanh")}}};
  }
  return {};
}

}  // namespace

Graph fuse_activations(const Graph& graph, PassContext&) {
  Rewriter rewrite(graph);
  for (const Node& node : graph.nodes) {
    std::optional<Activation> found;
    int32_t x = -1;
    if (node.op == "Mul" || node.op == "Div") {
      const Product p = product_of(rewrite, node.outputs[0]);
      for (size_t i = 0; p.factors.size() == 2 && i < 2 && !found; ++i) {
        x = p.factors[i];
        // A constant of a higher rank than x gives the result its own.
        if (rewrite.tensor(x).dims != rewrite.tensor(node.outputs[0]).dims) continue;
        found = match(rewrite, p.scale, x, p.factors[1 - i]);
      }
    }
    if (!found) {
      rewrite.keep(node);
      continue;
    }
    Node fused{node.name, found->op, 1, found->attributes, {rewrite.at(x)}, {}};
    fused.outputs = {rewrite.at(node.outputs[0])};
    rewrite.to.nodes.push_back(std::move(fused));
  }
  return rewrite.finish();
}

}  // namespace medulla::tools
