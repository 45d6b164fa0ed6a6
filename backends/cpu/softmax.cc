// SPDX-License-Identifier: Apache-2.0
// Softmax and LogSoftmax: softmax_f32 on ranges of rows.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "kernels/softmax_f32/softmax_f32.h"
#include "src/ops/rules.h"

namespace medulla::cpu {

extern const Lowering lowering_softmax;

namespace {

struct Plan {
  StepHead head;
  void (*run)(const SoftmaxF32& a);
  uint32_t axis;
};

struct Args {
  SoftmaxF32 call;
  void (*run)(const SoftmaxF32& a);
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const SoftmaxF32Row** row,
                  mdl_error* error) {
  constexpr const char* kOps[] = {"LogSoftmax", "Softmax"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->rank == 0) return fail(error, MDL_ERROR_UNSUPPORTED, "a scalar");
  return choose_row(cpu, "softmax_f32", softmax_f32_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  SoftmaxF32 part = args.call;
  part.rows = static_cast<size_t>(end - begin);
  part.x += static_cast<size_t>(begin) * part.x_stride;
  part.y += static_cast<size_t>(begin) * part.y_stride;
  args.run(part);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const SoftmaxF32Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_softmax, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->axis = axis_of(node, -1, node.input(0)->rank);
  plan->run = is_op(node.node(), "Softmax") ? row->kernel->softmax : row->kernel->log_softmax;
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
  const mdl_shape& shape = shapes[0];
  args.run = plan.run;
  args.call.rows = 1;
  args.call.inner = 1;
  for (uint32_t d = 0; d < shape.rank; ++d) {
    const size_t extent = static_cast<size_t>(shape.dims[d]);
    if (d < plan.axis) args.call.rows *= extent;
    if (d == plan.axis) args.call.n = extent;
    if (d > plan.axis) args.call.inner *= extent;
  }
  args.call.x_stride = args.call.y_stride = args.call.n * args.call.inner;
  rows.rows[0] = static_cast<int64_t>(args.call.rows);
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.call.x = static_cast<const float*>(operands[0].data);
  args.call.y = static_cast<float*>(operands[1].data);
}

}  // namespace

extern const Lowering lowering_softmax = {
    .supports = supports_by<const SoftmaxF32Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
