// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/unary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"approximate", MDL_ATTRIBUTE_STRING}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const char* approximate = node.string_or("approximate", "none");
  if (std::strcmp(approximate, "none") != 0 && std::strcmp(approximate, "tanh") != 0) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "approximate is '", approximate,
                     "', should be 'none' or 'tanh'");
  }
  return infer_unary<kFloats>(node, inputs, outputs, error);
}

// y = x * Phi(x), or by tanh x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
struct Gelu {
  static constexpr DtypeSet kTypes = kFloats;
  explicit Gelu(const NodeView& node)
      : by_tanh(std::strcmp(node.string_or("approximate", "none"), "tanh") == 0) {}
  float operator()(float x) const { return by_tanh ? gelu_tanh_f32(x) : gelu_f32(x); }
  double operator()(double x) const {
    constexpr double kRootOfHalf = 0x1.6a09e667f3bcdp-1;
    constexpr double kRootOfTwoOverPi = 0x1.9884533d43651p-1;
    const double weight = by_tanh ? tanh_f64(kRootOfTwoOverPi * (x + 0.044715 * x * x * x))
                                  : erf_f64(kRootOfHalf * x);
    return 0.5 * x * (1 + weight);
  }
  bool by_tanh;
};

}  // namespace

extern const Op op_Gelu = {
    .name = "Gelu",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference_unary<Gelu>,
    .in_place = 1,
};

}  // namespace medulla
