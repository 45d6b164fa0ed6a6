// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"min", MDL_ATTRIBUTE_FLOAT},
                                         {"max", MDL_ATTRIBUTE_FLOAT}};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// y = min > x ? min : x, then max < y ? max : y; NaN kept. A bound that is left out is infinite.
struct Clip {
  static constexpr DtypeSet kTypes = kSingles;
  explicit Clip(const NodeView& node)
      : min(float_attribute(node, "min", -kInfinity)),
        max(float_attribute(node, "max", kInfinity)) {}
  float operator()(float x) const { return clip_f32(x, min, max); }
  float min;
  float max;
};

}  // namespace

extern const Op op_Clip = unary_op<Clip>("Clip", kAttributes);

}  // namespace medulla
