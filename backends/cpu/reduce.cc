// SPDX-License-Identifier: Apache-2.0
// Sums and means of float32 over neighbouring axes: pool_f32's row sums, for a global average is no
// chain over a window. A row of the step is some sums side
// by side, or some that lie one behind the other.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "kernels/pool_f32/pool_f32.h"
#include "src/ops/reduce.h"

namespace medulla::cpu {

extern const Lowering lowering_reduce;

namespace {

constexpr size_t kNeighbours = 64;

struct Axes {
  uint32_t begin;
  uint32_t end;
};

struct Plan {
  StepHead head;
  void (*run)(const ReduceF32& a);
  Axes axes;
};

struct Args {
  const Plan* plan;
  ReduceF32 all;
  size_t unit;    // of outer, if inner is 1; else of inner
  size_t blocks;  // of inner
};

mdl_status read_axes(const NodeView& node, Axes* axes, mdl_error* error) {
  const uint32_t rank = node.input(0)->rank;
  if (is_op(node.node(), "GlobalAveragePool")) {
    *axes = {1, rank - 1};
    return MDL_OK;
  }
  uint32_t mask;
  MDL_TRY(read_reduced_axes(node, rank, &mask, error));
  axes->begin = 0;
  while (axes->begin < rank && (mask >> axes->begin & 1) == 0) ++axes->begin;
  axes->end = axes->begin;
  while (axes->end < rank && (mask >> axes->end & 1) != 0) ++axes->end;
  if (axes->end > axes->begin && mask >> axes->end == 0) return MDL_OK;
  return fail(error, MDL_ERROR_UNSUPPORTED, "axes that are not neighbours");
}

mdl_status choose(const Cpu& cpu, const GroupView& group, const PoolF32Row** row, Axes* axes,
                  mdl_error* error) {
  constexpr const char* kOps[] = {"GlobalAveragePool", "ReduceMean", "ReduceSum"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->dtype != MDL_FLOAT32) return fail(error, MDL_ERROR_UNSUPPORTED, "not float32");
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  MDL_TRY(read_axes(node, axes, error));
  return choose_row(cpu, "pool_f32", pool_f32_rows(), kernel_request(cpu), row, error);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  const PoolF32Row* row = nullptr;
  Axes axes;
  return choose(cpu, group, &row, &axes, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const ReduceF32& all = args.all;
  ReduceF32 part = all;
  if (all.inner == 1) {
    const size_t first = static_cast<size_t>(begin) * args.unit;
    part.outer = std::min(static_cast<size_t>(end) * args.unit, all.outer) - first;
    part.x += first * all.outer_stride;
    part.y += first;
    args.plan->run(part);
    return MDL_OK;
  }
  part.outer = 1;
  for (size_t i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
    const size_t outer = i / args.blocks;
    const size_t first = i % args.blocks * args.unit;
    part.inner = std::min(args.unit, all.inner - first);
    part.x = all.x + outer * all.outer_stride + first;
    part.y = all.y + outer * all.inner + first;
    args.plan->run(part);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const PoolF32Row* row = nullptr;
  Axes axes;
  MDL_TRY(choose(cpu, group, &row, &axes, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_reduce, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->run = is_op(node.node(), "ReduceSum") ? row->kernel->sum : row->kernel->mean;
  plan->axes = axes;
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  const mdl_shape& x = shapes[0];
  const auto& [begin, end] = static_cast<const Plan*>(step.data)->axes;
  args.plan = static_cast<const Plan*>(step.data);
  args.all.outer = static_cast<size_t>(extent(x, 0, begin));
  args.all.n = static_cast<size_t>(extent(x, begin, end));
  args.all.inner = args.all.stride = static_cast<size_t>(extent(x, end, x.rank));
  args.all.outer_stride = args.all.n * args.all.stride;
  if (args.all.inner == 1) {
    rows.rows[0] = cut_in_cache(args.all.outer, args.all.n, &args.unit);
    return MDL_OK;
  }
  args.unit = kNeighbours;
  args.blocks = static_cast<size_t>(units_of(args.all.inner, kNeighbours));
  rows.rows[0] = static_cast<int64_t>(args.all.outer * args.blocks);
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.all.x = static_cast<const float*>(operands[0].data);
  args.all.y = static_cast<float*>(operands[1].data);
}

}  // namespace

extern const Lowering lowering_reduce = {
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
