// SPDX-License-Identifier: Apache-2.0
// QSoftmax along the last axis by softmax_s8: ranges of rows.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/softmax_s8/softmax_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qsoftmax;

namespace {

struct Plan {
  StepHead head;
  const SoftmaxS8Kernel* kernel;
  SoftmaxS8 call;  // but for n
};

struct Args {
  SoftmaxS8 call;
  const SoftmaxS8Kernel* kernel;
  size_t rows;
  size_t unit;  // of them that make one row of the step
  const int8_t* x;
  int8_t* y;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const SoftmaxS8Row** row,
                  mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "QSoftmax")) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  const int64_t axis = node.int_or("axis", -1);
  if (axis != -1 && axis != int64_t{node.input(0)->rank} - 1) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "axis ", axis, " is not the last");
  }
  return choose_row(cpu, "softmax_s8", softmax_s8_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t count = std::min(static_cast<size_t>(end) * args.unit, args.rows) - first;
  const size_t at = first * args.call.n;
  args.kernel->run(args.call, args.x + at, args.y + at, count);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const SoftmaxS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qsoftmax, step);
  if (plan == nullptr) return fail_memory(error, node);
  const OutputRule rule = read_output_rule(node);
  plan->kernel = row->kernel;
  plan->call = {.n = 0,
                .table = static_cast<const uint32_t*>(node.input(1)->data),
                .inverse_scale = 1 / group.output().quantization.scales[0],
                .zero_point = rule.zero_point,
                .min = rule.min,
                .max = rule.max};
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.in_place[0] = 1;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.call = plan.call;
  args.kernel = plan.kernel;
  args.call.n = columns_of(shapes[0]);
  args.rows = rows_of(shapes[0]);
  rows.rows[0] = cut_in_cache(args.rows, args.call.n, &args.unit);
  return MDL_OK;
}

}  // namespace

extern const Lowering lowering_qsoftmax = {
    .supports = supports_by<const SoftmaxS8Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind_x_y<Args>,
};

}  // namespace medulla::cpu
