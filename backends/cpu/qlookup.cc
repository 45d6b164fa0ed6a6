// SPDX-License-Identifier: Apache-2.0
// QLookup: lut_s8 over the tensor.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "kernels/lut_s8/lut_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qlookup;

namespace {

struct Plan {
  StepHead head;
  const LutS8Kernel* kernel;
  const int8_t* table;
};

struct Args {
  const Plan* plan;
  const int8_t* x;
  int8_t* y;
  size_t count;
  size_t unit;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const LutS8Row** row, mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "QLookup")) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  if (node.input(1)->data == nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "the table is not constant");
  }
  return choose_row(cpu, "lut_s8", lut_s8_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.count);
  args.plan->kernel->look_up(args.plan->table, args.x + first, args.y + first, last - first);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const LutS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  Plan* plan = make_step_data<Plan>(host, lowering_qlookup, step);
  if (plan == nullptr) return fail_memory(error, group.node(0));
  plan->kernel = row->kernel;
  plan->table = static_cast<const int8_t*>(group.node(0).input(1)->data);
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.in_place[0] = 1;
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

extern const Lowering lowering_qlookup = {
    .supports = supports_by<const LutS8Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind_x_y<Args>,
};

}  // namespace medulla::cpu
