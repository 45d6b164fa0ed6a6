// SPDX-License-Identifier: Apache-2.0
// Pools of bytes over pictures and signals: pool_s8.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "backends/cpu/pooling.h"
#include "backends/cpu/quantized.h"
#include "kernels/pool_s8/pool_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qpool;

namespace {

constexpr const char* kPools[] = {"MaxPool", "QAveragePool", "QGlobalAveragePool"};

struct Plan {
  StepHead head;
  void (*run)(const PoolS8& a, size_t begin, size_t end);
  const mdl_graph* graph;
  const mdl_node* node;
  float* multipliers;  // of an average
  size_t multiplier_step;
  OutputRule rule;
  int32_t in_zero_point;
};

struct Args {
  const Plan* plan;
  PoolS8 pool;
  PoolPixels pixels;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const PoolS8Row** row, mdl_error* error) {
  MDL_TRY(check_pooling(group, kPools, false, error));
  MDL_TRY(check_s8(group.node(0), error));
  return choose_row(cpu, "pool_s8", pool_s8_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  args.plan->run(args.pool, args.pixels.at(begin), args.pixels.at(end));
  return MDL_OK;
}

// The table of multipliers, or the one of a global pool.
mdl_status read_multipliers(const NodeView& node, const mdl_host& host, Plan* plan,
                            mdl_error* error) {
  const std::span<const double> table = node.floats("multipliers");
  const size_t count = std::max<size_t>(1, table.size());
  plan->multipliers =
      static_cast<float*>(host.allocate(host.context, count * sizeof(float), alignof(float)));
  if (plan->multipliers == nullptr) return fail_memory(error, node);
  plan->multiplier_step = table.empty() ? 0 : 1;
  plan->multipliers[0] = static_cast<float>(node.float_or("multiplier", 1.0));
  std::transform(table.begin(), table.end(), plan->multipliers,
                 [](double m) { return static_cast<float>(m); });
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const PoolS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qpool, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->graph = &group.graph();
  plan->node = &node.node();
  if (is_op(node.node(), "MaxPool")) {
    plan->run = node.input(0)->dtype == MDL_INT8 ? row->kernel->max_s8 : row->kernel->max_u8;
  } else {
    plan->run = row->kernel->average;
    plan->rule = read_output_rule(node);
    plan->in_zero_point = zero_point_of(*node.input(0));
    MDL_TRY(read_multipliers(node, host, plan, error));
  }
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

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  PoolS8& pool = static_cast<Args*>(memory)->pool;
  pool.in = static_cast<const int8_t*>(operands[0].data);
  pool.in_stride = static_cast<size_t>(operands[0].pitch);
  pool.out = static_cast<int8_t*>(operands[1].data);
  pool.out_stride = static_cast<size_t>(operands[1].pitch);
  pool.in_zero_point = plan.in_zero_point;
  pool.multipliers = plan.multipliers;
  pool.multiplier_step = plan.multiplier_step;
  pool.zero_point = plan.rule.zero_point;
  pool.min = plan.rule.min;
  pool.max = plan.rule.max;
}

}  // namespace

extern const Lowering lowering_qpool = {
    .supports = supports_by<const PoolS8Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
