// SPDX-License-Identifier: Apache-2.0
// Functions of one float over a whole tensor: elementwise_f32.
#include <algorithm>

#include "backends/cpu/activation.h"

namespace medulla::cpu {

extern const Lowering lowering_unary;

namespace {

struct Plan {
  StepHead head;
  ElementwiseF32Kernel::Unary function;
  float a;
  float b;
};

struct Args {
  const Plan* plan;
  const float* x;
  size_t x_stride;
  float* y;
  size_t y_stride;
  size_t rows;
  size_t columns;
  size_t unit;  // tensor rows that make one row of the step
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const ElementwiseF32Row** row,
                  UnaryCall* call, mdl_error* error) {
  if (group.node_count() != 1 || !read_unary(group.node(0), call)) return MDL_ERROR_UNSUPPORTED;
  return choose_row(cpu, "elementwise_f32", elementwise_f32_rows(), kernel_request(cpu), row,
                    error);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  const ElementwiseF32Row* row = nullptr;
  UnaryCall call;
  return choose(cpu, group, &row, &call, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.rows);
  const float* x = args.x + first * args.x_stride;
  float* y = args.y + first * args.y_stride;
  if (args.x_stride == args.columns && args.y_stride == args.columns) {
    plan.function(x, y, (last - first) * args.columns, plan.a, plan.b);
    return MDL_OK;
  }
  for (size_t r = first; r < last; ++r, x += args.x_stride, y += args.y_stride) {
    plan.function(x, y, args.columns, plan.a, plan.b);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const ElementwiseF32Row* row = nullptr;
  UnaryCall call;
  MDL_TRY(choose(cpu, group, &row, &call, error));
  Plan* plan = make_step_data<Plan>(host, lowering_unary, step);
  if (plan == nullptr) return fail_memory(error, group.node(0));
  plan->function = row->kernel->unary[static_cast<size_t>(call.function)];
  plan->a = call.a;
  plan->b = call.b;
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.strided = 3;
  step.in_place[0] = 1;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  args.plan = static_cast<const Plan*>(step.data);
  args.rows = rows_of(shapes[0]);
  args.columns = columns_of(shapes[0]);
  rows.rows[0] = cut_in_cache(args.rows, args.columns, &args.unit);
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.x = static_cast<const float*>(operands[0].data);
  args.x_stride = static_cast<size_t>(operands[0].pitch);
  args.y = static_cast<float*>(operands[1].data);
  args.y_stride = static_cast<size_t>(operands[1].pitch);
}

}  // namespace

extern const Lowering lowering_unary = {
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
