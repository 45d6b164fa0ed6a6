// SPDX-License-Identifier: Apache-2.0
#include <concepts>
#include <limits>

#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"detect_negative", MDL_ATTRIBUTE_INT},
                                         {"detect_positive", MDL_ATTRIBUTE_INT}};

// y = whether x is infinite, of a sign that is to be detected.
struct IsInf {
  static constexpr DtypeSet kTypes = kFloats;
  explicit IsInf(const NodeView& node)
      : negative(node.int_or("detect_negative", 1) != 0),
        positive(node.int_or("detect_positive", 1) != 0) {}
  template <std::floating_point T>
  int64_t operator()(T x) const {
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    return (positive && x == kInfinity) || (negative && x == -kInfinity);
  }
  bool negative;
  bool positive;
};

}  // namespace

extern const Op op_IsInf = predicate_op<IsInf>("IsInf", kAttributes);

}  // namespace medulla
