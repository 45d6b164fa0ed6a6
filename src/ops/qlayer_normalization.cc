// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/norm.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT},
                                         {"epsilon", MDL_ATTRIBUTE_FLOAT},
                                         {"qmin", MDL_ATTRIBUTE_INT},
                                         {"qmax", MDL_ATTRIBUTE_INT}};
constexpr int64_t kMaxCount = 1 << 23;  // its square times 255^2 fits 63 bits

double epsilon_of(const NodeView& node) {
  const double s = scale_of(*node.input(0));
  return static_cast<double>(float_attribute(node, "epsilon", kNormEpsilon)) / (s * s);
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  const mdl_shape& x = inputs[0].shape;
  uint32_t axis;
  MDL_TRY(check_rows(node, inputs, 1, &axis, error));
  for (uint32_t d = axis; d < x.rank; ++d) {
    if (x.dims[d] > kMaxCount || extent(x, axis, d + 1) > kMaxCount) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", should have at most ",
                       kMaxCount, " values from axis ", axis, " on");
    }
  }
  return set_output(node, outputs, 0, MDL_INT8, x, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  constexpr double kLeast = 1e-60;  // so that its root's inverse is a float
  MDL_TRY(check_epsilon(node, error));
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.input(0), error));
  MDL_TRY(check_quantized(node, *node.output(0), error));
  const double epsilon = epsilon_of(node);
  if (epsilon >= kLeast) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "epsilon / s_x^2 is ", epsilon,
                   ", should be at least ", kLeast);
}

// For each row of n values d = x - z_x, with the exact sums S1 of d and S2 of d * d, in binary64
// r = 1 / sqrt((n * S2 - S1 * S1) / (n * n) + epsilon / s_x^2), A = float(r),
// B = float(-r * S1 / n): y = Q(fl(fl(fl(fl(float(d) * A) + B) * scale) + bias)), where scale and
// bias are in units of the output; without a bias less the sum.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), shape.rank, &axis, error));
  const int64_t rows = extent(shape, 0, axis);
  const int64_t count = extent(shape, axis, shape.rank);
  const double n = static_cast<double>(count);
  const double epsilon = epsilon_of(call.node);
  const int32_t z = zero_point_of(*call.node.input(0));
  const Quantizer quantizer = read_quantizer(call.node);
  const float* scale = call.in<float>(1);
  const float* bias = call.in<float>(2);
  for (int64_t row = 0; row < rows; ++row) {
    const int8_t* x = call.in<int8_t>(0) + row * count;
    int8_t* y = call.out<int8_t>(0) + row * count;
    int64_t s1 = 0;
    int64_t s2 = 0;
    for (int64_t i = 0; i < count; ++i) {
      s1 += x[i] - z;
      s2 += (x[i] - z) * (x[i] - z);
    }
    const double variance = static_cast<double>(count * s2 - s1 * s1) / (n * n);
    const double r = 1 / std::sqrt(variance + epsilon);
    const float a = static_cast<float>(r);
    const float b = static_cast<float>(-r * static_cast<double>(s1) / n);
    for (int64_t i = 0; i < count; ++i) {
      const float normal = static_cast<float>(x[i] - z) * a + b;
      const float scaled = normal * scale[i];
      y[i] = static_cast<int8_t>(quantizer(bias != nullptr ? scaled + bias[i] : scaled));
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, scale, bias?.
extern const Op op_QLayerNormalization = {
    .name = "QLayerNormalization",
    .min_inputs = 2,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
