// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"alpha", MDL_ATTRIBUTE_FLOAT}};

// y = x < 0 ? fl(alpha * x) : x.
struct LeakyRelu {
  static constexpr DtypeSet kTypes = kFloats;
  explicit LeakyRelu(const NodeView& node) : alpha(float_attribute(node, "alpha", 0.01f)) {}
  float operator()(float x) const { return leaky_relu_f32(x, alpha); }
  double operator()(double x) const { return x < 0 ? static_cast<double>(alpha) * x : x; }
  float alpha;
};

}  // namespace

extern const Op op_LeakyRelu = unary_op<LeakyRelu>("LeakyRelu", kAttributes);

}  // namespace medulla
