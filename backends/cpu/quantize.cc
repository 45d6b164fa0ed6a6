// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear with one scale: requant_s8 over the tensor.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/requant_s8/requant_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_quantize;

namespace {

struct Plan {
  StepHead head;
  const RequantS8Kernel* kernel;
  QuantizedS8 numbers;
  bool quantize;
};

struct Args {
  const Plan* plan;
  const void* x;
  void* y;
  size_t count;
  size_t unit;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const RequantS8Row** row,
                  mdl_error* error) {
  const NodeView node = group.node(0);
  const bool quantize = is_op(node.node(), "QuantizeLinear");
  if (group.node_count() != 1 || (!quantize && !is_op(node.node(), "DequantizeLinear"))) {
    return MDL_ERROR_UNSUPPORTED;
  }
  const mdl_tensor& quantized = quantize ? *node.output(0) : *node.input(0);
  if (quantized.dtype != MDL_INT8 && quantized.dtype != MDL_UINT8) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "not of 8 bits");
  }
  if (quantized.quantization.count != 1) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "more than one scale");
  }
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  return choose_row(cpu, "requant_s8", requant_s8_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t count = std::min(static_cast<size_t>(end) * args.unit, args.count) - first;
  if (plan.quantize) {
    plan.kernel->quantize(plan.numbers, static_cast<const float*>(args.x) + first,
                          static_cast<int8_t*>(args.y) + first, count);
  } else {
    plan.kernel->dequantize(plan.numbers, static_cast<const int8_t*>(args.x) + first,
                            static_cast<float*>(args.y) + first, count);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const RequantS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_quantize, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = row->kernel;
  plan->quantize = is_op(node.node(), "QuantizeLinear");
  const mdl_tensor& quantized = plan->quantize ? *node.output(0) : *node.input(0);
  const bool is_unsigned = quantized.dtype == MDL_UINT8;
  plan->numbers = {.scale = quantized.quantization.scales[0],
                   .zero_point = quantized.quantization.zero_points[0],
                   .min = is_unsigned ? 0 : -128,
                   .max = is_unsigned ? 255 : 127,
                   .is_unsigned = is_unsigned};
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  args.plan = static_cast<const Plan*>(step.data);
  args.count = rows_of(shapes[0]) * columns_of(shapes[0]);
  rows.rows[0] = cut_in_cache(args.count, 1, &args.unit);
  return MDL_OK;
}

}  // namespace

extern const Lowering lowering_quantize = {
    .supports = supports_by<const RequantS8Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind_x_y<Args>,
};

}  // namespace medulla::cpu
