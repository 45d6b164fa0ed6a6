// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"alpha", MDL_ATTRIBUTE_FLOAT},
                                         {"beta", MDL_ATTRIBUTE_FLOAT}};

// y = clip(fma(alpha, x, beta), 0, 1).
struct HardSigmoid {
  static constexpr DtypeSet kTypes = kFloats;
  explicit HardSigmoid(const NodeView& node)
      : alpha(float_attribute(node, "alpha", 0.2f)), beta(float_attribute(node, "beta", 0.5f)) {}
  float operator()(float x) const { return hard_sigmoid_f32(x, alpha, beta); }
  double operator()(double x) const {
    const double y = std::fma(static_cast<double>(alpha), x, static_cast<double>(beta));
    return y < 0 ? 0 : y > 1 ? 1 : y;
  }
  float alpha;
  float beta;
};

}  // namespace

extern const Op op_HardSigmoid = unary_op<HardSigmoid>("HardSigmoid", kAttributes);

}  // namespace medulla
