// SPDX-License-Identifier: Apache-2.0
// Pools of float over pictures and signals: pool_f32.
#include "backends/cpu/chain.h"
#include "backends/cpu/pooling.h"
#include "kernels/pool_f32/pool_f32.h"

namespace medulla::cpu {

extern const Lowering lowering_pool;

namespace {

constexpr const char* kPools[] = {"AveragePool", "MaxPool"};

struct Plan {
  StepHead head;
  void (*run)(const PoolF32& a, size_t begin, size_t end);
  const mdl_graph* graph;
  const mdl_node* node;
};

struct Args {
  const Plan* plan;
  PoolF32 pool;
  PoolPixels pixels;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const PoolF32Row** row,
                  mdl_error* error) {
  MDL_TRY(check_pooling(group, kPools, true, error));
  return choose_row(cpu, "pool_f32", pool_f32_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  args.plan->run(args.pool, args.pixels.at(begin), args.pixels.at(end));
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const PoolF32Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_pool, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->run = is_op(node.node(), "MaxPool") ? row->kernel->max : row->kernel->average;
  plan->graph = &group.graph();
  plan->node = &node.node();
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.strided = 3;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error* error) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  MDL_TRY(read_pooling({*plan.graph, *plan.node}, shapes[0], &args.pool.pool, error));
  args.pixels = pixels_of(args.pool.pool);
  rows.rows[0] = args.pixels.rows();
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  PoolF32& pool = static_cast<Args*>(memory)->pool;
  pool.in = static_cast<const float*>(operands[0].data);
  pool.in_stride = static_cast<size_t>(operands[0].pitch);
  pool.out = static_cast<float*>(operands[1].data);
  pool.out_stride = static_cast<size_t>(operands[1].pitch);
}

}  // namespace

extern const Lowering lowering_pool = {
    .supports = supports_by<const PoolF32Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
