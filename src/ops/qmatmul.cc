// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "src/base/checked.h"
#include "src/ops/integer.h"
#include "src/ops/matrices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"multiplier", MDL_ATTRIBUTE_FLOAT, true},
                                         {"qmin", MDL_ATTRIBUTE_INT},
                                         {"qmax", MDL_ATTRIBUTE_INT}};

// k products of (a - z_a)(b - z_b), each between those of the ends of both ranges, fit int32.
mdl_status prove(const NodeView& node, int64_t k, mdl_error* error) {
  const int64_t z_a = zero_point_of(*node.input(0));
  const int64_t z_b = zero_point_of(*node.input(1));
  const auto [least, most] = std::minmax({(-128 - z_a) * (-128 - z_b), (-128 - z_a) * (127 - z_b),
                                          (127 - z_a) * (-128 - z_b), (127 - z_a) * (127 - z_b)});
  using Limits = std::numeric_limits<int32_t>;
  if (k <= Limits::max() && k * most <= Limits::max() && k * least >= Limits::min()) return MDL_OK;
  return fail_node(error, MDL_ERROR_SHAPE, node, "the sums of ", k, " products from ", least,
                   " to ", most, " may not fit 32 bits");
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_INT8, error));
  MDL_TRY(check_quantized(node, *node.input(0), error));
  MDL_TRY(check_quantized(node, *node.input(1), error));
  const mdl_dtype y = outputs[0].dtype;
  if (y != MDL_INT8 && y != MDL_FLOAT32) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "output 0 is ", mdl_dtype_name(y),
                     ", should be int8 or float32");
  }
  Matrices p;
  MDL_TRY(read_matrices(node, inputs[0].shape, inputs[1].shape, &p, error));
  MDL_TRY(prove(node, p.k, error));
  return set_output(node, outputs, 0, y, p.output, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  const mdl_tensor& y = *node.output(0);
  MDL_TRY(check_range(node, error));
  if (y.dtype == MDL_INT8) MDL_TRY(check_quantized(node, y, error));
  const double s_y = y.dtype == MDL_INT8 ? scale_of(y) : 1.0;
  return check_multiplier(node, scale_of(*node.input(0)) * scale_of(*node.input(1)) / s_y, error);
}

// t = fl(float(sum) * m) with the exact sum over k of (a - z_a)(b - z_b); y = Q(t), or t for a
// float output.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const int32_t z_a = zero_point_of(*call.node.input(0));
  const int32_t z_b = zero_point_of(*call.node.input(1));
  const float multiplier = float_attribute(call.node, "multiplier", 0.0f);
  const Quantizer quantizer = read_quantizer(call.node);
  const bool is_float = call.output_types[0].dtype == MDL_FLOAT32;
  int64_t y = 0;
  return for_each_dot<int8_t>(call, error,
                              [&](const int8_t* a, const int8_t* b, const Matrices& p) {
                                int32_t sum = 0;
                                for (int64_t k = 0; k < p.k; ++k)
                                  sum += (a[k] - z_a) * (b[k * p.n] - z_b);
                                const float t = static_cast<float>(sum) * multiplier;
                                if (is_float) {
                                  call.out<float>(0)[y++] = t;
                                } else {
                                  call.out<int8_t>(0)[y++] = static_cast<int8_t>(quantizer(t));
                                }
                              });
}

}  // namespace

extern const Op op_QMatMul = {
    .name = "QMatMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .macs = matrices_macs,
};

}  // namespace medulla
