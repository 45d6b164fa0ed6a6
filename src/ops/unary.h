// SPDX-License-Identifier: Apache-2.0
// Elementwise functions of one input. What each dtype is computed in says with_number (number.h).
#ifndef MEDULLA_SRC_OPS_UNARY_H_
#define MEDULLA_SRC_OPS_UNARY_H_

#include <concepts>
#include <type_traits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/functions_f64.h"
#include "src/ops/number.h"
#include "src/ops/rules.h"

namespace medulla {

// Checks the float attributes too.
template <DtypeSet kTypes>
mdl_status infer_unary(const NodeView& node, std::span<const TensorType> inputs,
                       std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kTypes, error));
  for (uint32_t a = 0; a < node.node().attribute_count; ++a) {
    const mdl_attribute& attribute = node.node().attributes[a];
    if (attribute.type == MDL_ATTRIBUTE_FLOAT) MDL_TRY(check_float(node, attribute.name, error));
  }
  return set_output(node, outputs, 0, inputs[0].dtype, inputs[0].shape, error);
}

// A Function says in kTypes which dtypes it takes, and has an operator() for each type that these
// are computed in. It is made from the node when it has attributes.
template <class Function>
Function function_of(const NodeView& node) {
  if constexpr (std::is_constructible_v<Function, const NodeView&>) {
    return Function(node);
  } else {
    return Function();
  }
}

// Whether a dtype of the set is computed in Number.
template <class Number>
constexpr bool computes(DtypeSet set) {
  if constexpr (std::is_same_v<Number, float>) return (set & kSingles) != 0;
  if constexpr (std::is_same_v<Number, double>) return has_dtype(set, MDL_FLOAT64);
  if constexpr (std::is_same_v<Number, uint64_t>) return (set & kUnsigned) != 0;
  return (set & (kSigned | kBool)) != 0;
}

template <class Function>
mdl_status reference_unary(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const mdl_dtype to = call.output_types[0].dtype;
  const int64_t count = x.elements();
  const Function function = function_of<Function>(call.node);
  if constexpr (requires(float v) {
                  { function(v) } -> std::same_as<float>;
                }) {
    if (x.dtype == MDL_FLOAT32) {
      const float* from = call.in<float>(0);
      for (int64_t i = 0; i < count; ++i) call.out<float>(0)[i] = function(from[i]);
      return MDL_OK;
    }
  }
  with_number(x.dtype, [&]<class Number>(Number) {
    if constexpr (computes<Number>(Function::kTypes)) {
      for (int64_t i = 0; i < count; ++i) {
        store_as(to, call.outputs[0], i, function(load_as<Number>(x.dtype, call.inputs[0], i)));
      }
    }
  });
  return MDL_OK;
}

// A function of floats from its forms for float32 and, where there is one, for float64.
template <float (*kSingle)(float), double (*kDouble)(double) = nullptr>
struct FloatFunction {
  static constexpr DtypeSet kTypes = kDouble != nullptr ? kFloats : kSingles;
  float operator()(float x) const { return kSingle(x); }
  double operator()(double x) const {
    if constexpr (kDouble != nullptr) return kDouble(x);
    return x;
  }
};

// The same from one of binary64, rounded once for float32.
template <double (*kFunction)(double)>
struct RoundedFunction {
  static constexpr DtypeSet kTypes = kFloats;
  float operator()(float x) const { return static_cast<float>(kFunction(static_cast<double>(x))); }
  double operator()(double x) const { return kFunction(x); }
};

template <class Function>
constexpr Op unary_op(const char* name, std::span<const AttributeRule> attributes = {}) {
  return {.name = name,
          .attributes = attributes,
          .infer = infer_unary<Function::kTypes>,
          .reference = reference_unary<Function>,
          .in_place = 1};
}

// Functions whose output is bool: they give int64_t.
template <DtypeSet kTypes>
mdl_status infer_predicate(const NodeView& node, std::span<const TensorType> inputs,
                           std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kTypes, error));
  return set_output(node, outputs, 0, MDL_BOOL, inputs[0].shape, error);
}

template <class Function>
constexpr Op predicate_op(const char* name, std::span<const AttributeRule> attributes = {}) {
  return {.name = name,
          .attributes = attributes,
          .infer = infer_predicate<Function::kTypes>,
          .reference = reference_unary<Function>};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_UNARY_H_
