// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"alpha", MDL_ATTRIBUTE_FLOAT}};

// y = x < 0 ? fl(alpha * (e^x - 1)) : x.
struct Elu {
  static constexpr DtypeSet kTypes = kFloats;
  explicit Elu(const NodeView& node) : alpha(float_attribute(node, "alpha", 1)) {}
  float operator()(float x) const { return elu_f32(x, alpha); }
  double operator()(double x) const {
    return x < 0 ? static_cast<double>(alpha) * expm1_f64(x) : x;
  }
  float alpha;
};

}  // namespace

extern const Op op_Elu = unary_op<Elu>("Elu", kAttributes);

}  // namespace medulla
