// SPDX-License-Identifier: Apache-2.0
// GroupNormalization, LayerNormalization and RMSNormalization: norm_f32. A row of the step is what
// is normalized together, or some channels side by side that are groups of their own.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "kernels/norm_f32/norm_f32.h"
#include "src/ops/norm.h"

namespace medulla::cpu {

extern const Lowering lowering_norm;

namespace {

constexpr size_t kNeighbours = 16;  // a cache line

struct Plan {
  StepHead head;
  const NormF32Kernel* kernel;
  RunNormF32 numbers;  // but for the shape
  uint32_t axis;       // of rows; of groups that of the channels
  size_t groups;       // 0: rows
};

struct Args {
  const Plan* plan;
  RunNormF32 call;
  size_t row;    // values between rows, of groups between images
  size_t parts;  // of an image that are normalized on their own, or of neighbours
  const float* x;
  float* y;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const NormF32Row** row,
                  mdl_error* error) {
  constexpr const char* kOps[] = {"GroupNormalization", "LayerNormalization", "RMSNormalization"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  for (size_t i = 1; i < node.input_count(); ++i) {
    if (node.input(i) == nullptr || node.input(i)->data != nullptr) continue;
    return fail(error, MDL_ERROR_UNSUPPORTED, "scale or bias are not constant");
  }
  if (node.output(0) == nullptr || node.output(1) != nullptr || node.output(2) != nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "means or deviations are asked for");
  }
  return choose_row(cpu, "norm_f32", norm_f32_rows(), kernel_request(cpu), row, error);
}

mdl_status run_rows(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  for (size_t i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
    const size_t at = i * args.row;
    args.plan->kernel->runs(args.call, args.x + at, args.y + at);
  }
  return MDL_OK;
}

mdl_status run_groups(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const bool neighbours = args.call.n == 1;
  const size_t width = neighbours ? kNeighbours : args.call.n;
  for (size_t i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
    const size_t channel = i % args.parts * width;
    const size_t at = i / args.parts * args.row + channel;
    RunNormF32 call = args.call;
    call.scale += channel;
    call.bias += channel;
    if (neighbours) {
      args.plan->kernel->neighbours(call, args.x + at, args.y + at,
                                    std::min(width, call.stride - channel));
    } else {
      args.plan->kernel->runs(call, args.x + at, args.y + at);
    }
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const NormF32Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_norm, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = row->kernel;
  plan->numbers = {.epsilon = float_attribute(node, "epsilon", kNormEpsilon),
                   .centered = !is_op(node.node(), "RMSNormalization"),
                   .scale = floats_of(node.input(1)),
                   .bias = floats_of(node.input(2))};
  plan->axis = axis_of(node, -1, node.input(0)->rank);
  plan->groups = static_cast<size_t>(node.int_or("num_groups", 0));
  step.kernel = row->name;
  step.run = plan->groups > 0 ? run_groups : run_rows;
  step.args_bytes = sizeof(Args);
  step.in_place[0] = 1;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  const mdl_shape& x = shapes[0];
  args.plan = &plan;
  args.call = plan.numbers;
  if (plan.groups == 0) {
    args.call.n = args.row = static_cast<size_t>(extent(x, plan.axis, x.rank));
    rows.rows[0] = extent(x, 0, plan.axis);
    return MDL_OK;
  }
  args.call.stride = columns_of(x);
  args.call.n = args.call.stride / plan.groups;
  args.call.runs = static_cast<size_t>(extent(x, 1, x.rank - 1));
  args.row = args.call.runs * args.call.stride;
  args.parts = plan.groups;
  if (args.call.n == 1) args.parts = static_cast<size_t>(units_of(args.parts, kNeighbours));
  rows.rows[0] = args.row > 0 ? x.dims[0] * static_cast<int64_t>(args.parts) : 0;
  return MDL_OK;
}

}  // namespace

extern const Lowering lowering_norm = {
    .supports = supports_by<const NormF32Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind_x_y<Args>,
};

}  // namespace medulla::cpu
