// SPDX-License-Identifier: Apache-2.0
#include <concepts>

#include "src/ops/binary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"fmod", MDL_ATTRIBUTE_INT}};

// What is left of a / b, exact. With fmod the quotient is cut towards zero and the sign is that of
// a; without, for integers alone, it is rounded down and the sign is that of b. Integers modulo 0
// give 0.
struct Mod {
  static constexpr DtypeSet kTypes = kNumbers;
  explicit Mod(const NodeView& node) : fmod(node.int_or("fmod", 0) != 0) {}
  float operator()(float a, float b) const {
    return static_cast<float>(fmod_f64(static_cast<double>(a), static_cast<double>(b)));
  }
  double operator()(double a, double b) const { return fmod_f64(a, b); }
  template <std::integral T>
  T operator()(T a, T b) const {
    if (b == 0) return 0;
    if constexpr (std::signed_integral<T>) {
      if (b == -1) return 0;
      const T rest = a % b;
      return !fmod && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    return a % b;
  }
  bool fmod;
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  if (has_dtype(kFloats, inputs[0].dtype) && node.int_or("fmod", 0) == 0) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "fmod is 0, should be 1 for ",
                     mdl_dtype_name(inputs[0].dtype));
  }
  return infer_binary<kNumbers>(node, inputs, outputs, error);
}

}  // namespace

extern const Op op_Mod = {
    .name = "Mod",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference_binary<Mod>,
    .in_place = 3,
};

}  // namespace medulla
