// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/quantized.h"

#include <limits>

#include "src/ops/integer.h"

namespace medulla::cpu {

mdl_status check_s8(const NodeView& node, mdl_error* error) {
  if (node.input(0)->dtype != MDL_INT16) return MDL_OK;
  return fail(error, MDL_ERROR_UNSUPPORTED, "input 0 is int16, kernels take int8");
}

WeightsS8 weight_rows(const mdl_tensor& w) {
  WeightsS8 rows;
  rows.n = static_cast<size_t>(w.dims[0]);
  rows.k = rows.n_stride = w.bytes / rows.n;
  rows.w = static_cast<const int8_t*>(w.data);
  rows.zero_points = w.quantization.zero_points;
  rows.zero_point_step = w.quantization.count > 1 ? 1 : 0;
  return rows;
}

mdl_status read_weights_s8(const NodeView& node, WeightsS8* weights, mdl_error* error) {
  MDL_TRY(check_s8(node, error));
  const mdl_tensor& w = *node.input(1);
  const mdl_tensor* bias = node.input(2);
  const mdl_tensor* multiplier = node.input(3);
  if (w.data == nullptr || (bias != nullptr && bias->data == nullptr) || multiplier == nullptr ||
      multiplier->data == nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "weights, bias or multiplier are not constant");
  }
  *weights = weight_rows(w);
  weights->scale = floats_of(multiplier);
  weights->scale_step = 1;
  if (bias != nullptr && bias->dtype == MDL_INT32) {
    weights->bias = static_cast<const int32_t*>(bias->data);
  } else if (bias != nullptr) {
    weights->float_bias = floats_of(bias);
  }
  return MDL_OK;
}

int32_t zero_point_of(const mdl_tensor& tensor) {
  return tensor.quantization.count > 0 ? tensor.quantization.zero_points[0] : 0;
}

OutputRule read_output_rule(const NodeView& node) {
  const mdl_tensor& output = *node.output(0);
  const IntegerRange range = range_of(output.dtype);
  return {.is_float = output.dtype == MDL_FLOAT32,
          .zero_point = zero_point_of(output),
          .min = static_cast<int32_t>(node.int_or("qmin", range.min)),
          .max = static_cast<int32_t>(node.int_or("qmax", range.max))};
}

OutputS8 output_s8(const OutputRule& rule, const mdl_operand& operand) {
  OutputS8 output;
  output.stride = static_cast<size_t>(operand.pitch);
  if (rule.is_float) {
    output.f32 = static_cast<float*>(operand.data);
    output.lo = -std::numeric_limits<float>::infinity();
    output.hi = std::numeric_limits<float>::infinity();
  } else {
    output.s8 = static_cast<int8_t*>(operand.data);
    output.zero_point = rule.zero_point;
    output.min = rule.min;
    output.max = rule.max;
  }
  return output;
}

}  // namespace medulla::cpu
