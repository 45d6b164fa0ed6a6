// SPDX-License-Identifier: Apache-2.0
// Quantized operators of two inputs, broadcast as numpy does.
#ifndef MEDULLA_SRC_OPS_QBINARY_H_
#define MEDULLA_SRC_OPS_QBINARY_H_

#include "src/ops/binary.h"
#include "src/ops/integer.h"

namespace medulla {

// Two inputs and an output, each with one scale; the range.
inline mdl_status check_qbinary(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.output(0), error));
  MDL_TRY(check_quantized(node, *node.input(0), error));
  return check_quantized(node, *node.input(1), error);
}

// y = quantizer(function(float(a - z_a), float(b - z_b))), the differences exact.
template <class T, class Function>
void for_each_quantized_as(const ReferenceCall& call, Function function) {
  const int32_t z_a = zero_point_of(*call.node.input(0));
  const int32_t z_b = zero_point_of(*call.node.input(1));
  const Quantizer quantizer = read_quantizer(call.node);
  const T* a = call.in<T>(0);
  const T* b = call.in<T>(1);
  T* y = call.out<T>(0);
  for_each_pair(call, [&](int64_t i, int64_t j, int64_t k) {
    y[i] = static_cast<T>(
        quantizer(function(static_cast<float>(a[j] - z_a), static_cast<float>(b[k] - z_b))));
  });
}
template <class Function>
void for_each_quantized(const ReferenceCall& call, Function function) {
  by_width(call, [&]<class T>(T) { for_each_quantized_as<T>(call, function); });
}

// QAdd and QSub: the attribute "multipliers" holds s_a / s_y and s_b / s_y.
inline constexpr AttributeRule kSumAttributes[] = {{"multipliers", MDL_ATTRIBUTE_FLOATS, true},
                                                   {"qmin", MDL_ATTRIBUTE_INT},
                                                   {"qmax", MDL_ATTRIBUTE_INT}};

inline mdl_status check_qsum(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_qbinary(node, error));
  MDL_TRY(check_multiplier_count(node, 2, error));
  for (size_t i = 0; i < 2; ++i) {
    MDL_TRY(check_multiplier(node, i, node.floats("multipliers")[i],
                             scale_of(*node.input(i)) / scale_of(*node.output(0)), error));
  }
  return MDL_OK;
}

// Function of both sides in units of the output.
template <class Function>
mdl_status reference_qsum(const ReferenceCall& call, Function function) {
  const std::span<const double> k = call.node.floats("multipliers");
  const float k_a = static_cast<float>(k[0]);
  const float k_b = static_cast<float>(k[1]);
  for_each_quantized(call, [=](float a, float b) {
    const float left = a * k_a;
    const float right = b * k_b;
    return function(left, right);
  });
  return MDL_OK;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_QBINARY_H_
