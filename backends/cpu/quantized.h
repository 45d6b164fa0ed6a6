// SPDX-License-Identifier: Apache-2.0
// What integer products (QConv, QGemm) share: their constants, and where their sums go.
#ifndef MEDULLA_BACKENDS_CPU_QUANTIZED_H_
#define MEDULLA_BACKENDS_CPU_QUANTIZED_H_

#include "backends/cpu/lowering.h"
#include "kernels/s8.h"

namespace medulla::cpu {

// UNSUPPORTED with the reason where input 0 is int16, which no kernel of int8 takes.
mdl_status check_s8(const NodeView& node, mdl_error* error);

// Constant weights and their zero points as rows of `k` values, one row an output channel.
WeightsS8 weight_rows(const mdl_tensor& w);

// Those of the node, with bias and scale. UNSUPPORTED with the reason when a constant is not one,
// or the node is not for int8.
mdl_status read_weights_s8(const NodeView& node, WeightsS8* weights, mdl_error* error);

int32_t zero_point_of(const mdl_tensor& tensor);

// All of the output but its memory: zero point and bounds, or float without bounds.
struct OutputRule {
  bool is_float;
  int32_t zero_point;
  int32_t min;
  int32_t max;
};
OutputRule read_output_rule(const NodeView& node);
OutputS8 output_s8(const OutputRule& rule, const mdl_operand& operand);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_QUANTIZED_H_
