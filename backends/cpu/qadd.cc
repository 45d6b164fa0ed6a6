// SPDX-License-Identifier: Apache-2.0
// QAdd of two tensors of one shape: add_s8.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/add_s8/add_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qadd;

namespace {

struct Plan {
  StepHead head;
  const AddS8Kernel* kernel;
  AddS8 numbers;
  int a;
  int b;
  int output;
};

struct Args {
  const Plan* plan;
  const int8_t* a;
  const int8_t* b;
  int8_t* y;
  size_t count;
  size_t unit;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const AddS8Row** row, mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "QAdd")) return MDL_ERROR_UNSUPPORTED;
  const mdl_tensor& y = *node.output(0);
  for (size_t i = 0; i < 2; ++i) {
    const mdl_tensor& x = *node.input(i);
    if (x.data != nullptr || x.rank != y.rank || !std::equal(x.dims, x.dims + x.rank, y.dims) ||
        !std::equal(x.symbols, x.symbols + x.rank, y.symbols)) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "inputs and output are not of one shape");
    }
  }
  const std::string_view forced = forced_row(cpu, "add_s8");
  *row = select_row(add_s8_rows(), kernel_request(cpu), forced);
  return *row != nullptr ? MDL_OK : fail_no_row(error, "add_s8", forced);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  const AddS8Row* row = nullptr;
  return choose(cpu, group, &row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.count);
  args.plan->kernel->add(args.plan->numbers, args.a + first, args.b + first, args.y + first,
                         last - first);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const AddS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qadd, step);
  if (plan == nullptr) return fail_memory(error, node);
  const OutputRule rule = read_output_rule(node);
  plan->kernel = row->kernel;
  plan->numbers = {.zero_point_a = zero_point_of(*node.input(0)),
                   .zero_point_b = zero_point_of(*node.input(1)),
                   .k_a = static_cast<float>(node.floats("multipliers")[0]),
                   .k_b = static_cast<float>(node.floats("multipliers")[1]),
                   .zero_point = rule.zero_point,
                   .min = rule.min,
                   .max = rule.max};
  plan->a = group.operand(node.input(0));
  plan->b = group.operand(node.input(1));
  plan->output = group.operand(node.output(0));
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.in_place[0] = 1u << plan->a | 1u << plan->b;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  args.plan = static_cast<const Plan*>(step.data);
  args.count = rows_of(shapes[0]) * columns_of(shapes[0]);
  args.unit = rows_in_cache(1);
  rows.rows[0] = static_cast<int64_t>((args.count + args.unit - 1) / args.unit);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.a = static_cast<const int8_t*>(operands[plan.a].data);
  args.b = static_cast<const int8_t*>(operands[plan.b].data);
  args.y = static_cast<int8_t*>(operands[plan.output].data);
}

}  // namespace

extern const Lowering lowering_qadd = {
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
