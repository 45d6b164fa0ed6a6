// SPDX-License-Identifier: Apache-2.0
// QAddFloat: what is added is dequantized in steps of the output, by requant_s8, which also rounds
// the sums.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/requant_s8/requant_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qadd_float;

namespace {

constexpr size_t kBlock = 1024;  // values that are in scratch at a time

struct Plan {
  StepHead head;
  const RequantS8Kernel* kernel;
  QuantizedS8 added;
  QuantizedS8 rounded;
  int a;
  int b;
  int output;
};

struct Args {
  const Plan* plan;
  const float* a;
  const int8_t* b;
  int8_t* y;
  size_t count;
  size_t unit;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const RequantS8Row** row,
                  mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "QAddFloat")) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->data != nullptr || node.input(1)->data != nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  }
  return choose_row(cpu, "requant_s8", requant_s8_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  float* const sums = static_cast<float*>(scratch);
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.count);
  for (size_t i = static_cast<size_t>(begin) * args.unit; i < last; i += kBlock) {
    const size_t n = std::min(kBlock, last - i);
    plan.kernel->dequantize(plan.added, args.b + i, sums, n);
    const float* const a = args.a + i;
    for (size_t j = 0; j < n; ++j) sums[j] = a[j] + sums[j];
    plan.kernel->quantize(plan.rounded, sums, args.y + i, n);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const RequantS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qadd_float, step);
  if (plan == nullptr) return fail_memory(error, node);
  const OutputRule rule = read_output_rule(node);
  plan->kernel = row->kernel;
  plan->added = {.scale = static_cast<float>(node.float_or("multiplier", 0)),
                 .zero_point = zero_point_of(*node.input(1))};
  plan->rounded = {.zero_point = rule.zero_point, .min = rule.min, .max = rule.max};
  plan->a = group.operand(node.input(0));
  plan->b = group.operand(node.input(1));
  plan->output = group.operand(&group.output());
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = kBlock * sizeof(float);
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  args.plan = static_cast<const Plan*>(step.data);
  const mdl_shape& shape = shapes[args.plan->output];
  args.count = rows_of(shape) * columns_of(shape);
  rows.rows[0] = cut_in_cache(args.count, 1, &args.unit);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.a = static_cast<const float*>(operands[plan.a].data);
  args.b = static_cast<const int8_t*>(operands[plan.b].data);
  args.y = static_cast<int8_t*>(operands[plan.output].data);
}

}  // namespace

extern const Lowering lowering_qadd_float = {
    .supports = supports_by<const RequantS8Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
