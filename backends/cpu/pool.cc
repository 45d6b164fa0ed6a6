// SPDX-License-Identifier: Apache-2.0
// Pools over pictures and signals: pool_f32, and pool_s8 for quantised tensors.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/pool_f32/pool_f32.h"
#include "kernels/pool_s8/pool_s8.h"
#include "src/ops/window.h"

namespace medulla::cpu {

extern const Lowering lowering_pool;

namespace {

constexpr const char* kPools[] = {"AveragePool", "GlobalAveragePool", "MaxPool", "QAveragePool",
                                  "QGlobalAveragePool"};

struct Plan {
  StepHead head;
  void (*run_f32)(const PoolF32& a, size_t begin, size_t end);  // one of the two
  void (*run_s8)(const PoolS8& a, size_t begin, size_t end);
  const mdl_graph* graph;
  const mdl_node* node;
  float* multipliers;  // of an average of INT8
  size_t multiplier_step;
  OutputRule rule;
  int32_t in_zero_point;
};

struct Args {
  const Plan* plan;
  PoolF32 f32;
  PoolS8 s8;
  size_t pixels;
  size_t unit;  // pixels that make one row of the step
};

size_t extent(int64_t value) { return static_cast<size_t>(value); }

// The geometry at these shapes. A global pool is one window over the picture.
mdl_status read_geometry(const NodeView& node, const mdl_shape& input, PoolGeometry* geometry,
                         mdl_error* error) {
  if (input.rank != 3 && input.rank != 4) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "not one or two spatial dimensions");
  }
  PoolGeometry& g = *geometry;
  g = {};
  g.batch = extent(input.dims[0]);
  g.channels = extent(input.dims[input.rank - 1]);
  if (node.attribute("kernel_shape") == nullptr) {
    g.in_h = g.kernel_h = input.rank == 4 ? extent(input.dims[1]) : 1;
    g.in_w = g.kernel_w = extent(input.dims[input.rank - 2]);
    return MDL_OK;
  }
  Window window;
  MDL_TRY(read_pool(node, input, &window, error));
  const WindowAxis& y = window.axis[1];
  const WindowAxis& x = window.axis[2];
  g.in_h = extent(y.in);
  g.in_w = extent(x.in);
  g.out_h = extent(y.out);
  g.out_w = extent(x.out);
  g.kernel_h = extent(y.kernel);
  g.kernel_w = extent(x.kernel);
  g.stride_h = extent(y.stride);
  g.stride_w = extent(x.stride);
  g.dilation_h = extent(y.dilation);
  g.dilation_w = extent(x.dilation);
  g.pad_top = extent(y.begin);
  g.pad_bottom = extent(y.end);
  g.pad_left = extent(x.begin);
  g.pad_right = extent(x.end);
  g.count_padding = node.int_or("count_include_pad", 0) != 0;
  return MDL_OK;
}

struct Choice {
  const PoolF32Row* f32;
  const PoolS8Row* s8;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, Choice* choice, mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kPools)) return MDL_ERROR_UNSUPPORTED;
  if (node.output_count() > 1) return fail(error, MDL_ERROR_UNSUPPORTED, "indices of the maxima");
  PoolGeometry geometry;
  MDL_TRY(read_geometry(node, max_shape(*node.input(0)), &geometry, error));
  *choice = {};
  if (node.input(0)->dtype == MDL_FLOAT32) {
    // A global average is a mean by 16 partial sums, not a chain over a window.
    if (is_op(node.node(), "GlobalAveragePool")) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "a mean, not a window");
    }
    return choose_row(cpu, "pool_f32", pool_f32_rows(), kernel_request(cpu), &choice->f32, error);
  }
  return choose_row(cpu, "pool_s8", pool_s8_rows(), kernel_request(cpu), &choice->s8, error);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  Choice choice;
  return choose(cpu, group, &choice, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.pixels);
  if (args.plan->run_f32 != nullptr) {
    args.plan->run_f32(args.f32, first, last);
  } else {
    args.plan->run_s8(args.s8, first, last);
  }
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
  Choice choice;
  MDL_TRY(choose(cpu, group, &choice, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_pool, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->graph = &group.graph();
  plan->node = &node.node();
  const bool max = is_op(node.node(), "MaxPool");
  if (choice.f32 != nullptr) {
    plan->run_f32 = max ? choice.f32->kernel->max : choice.f32->kernel->average;
  } else if (max) {
    plan->run_s8 =
        node.input(0)->dtype == MDL_INT8 ? choice.s8->kernel->max_s8 : choice.s8->kernel->max_u8;
  } else {
    plan->run_s8 = choice.s8->kernel->average;
    plan->rule = read_output_rule(node);
    plan->in_zero_point = zero_point_of(*node.input(0));
    MDL_TRY(read_multipliers(node, host, plan, error));
  }
  step.kernel = choice.f32 != nullptr ? choice.f32->name : choice.s8->name;
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
  MDL_TRY(read_geometry({*plan.graph, *plan.node}, shapes[0], &args.f32.pool, error));
  const PoolGeometry& g = args.f32.pool;
  args.s8.pool = g;
  args.pixels = g.batch * g.out_h * g.out_w;
  // A row of pictures, or 32 pixels of a signal.
  args.unit = g.out_h > 1 ? g.out_w : 32;
  rows.rows[0] = units_of(args.pixels, args.unit);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.f32.in = static_cast<const float*>(operands[0].data);
  args.f32.in_stride = static_cast<size_t>(operands[0].pitch);
  args.f32.out = static_cast<float*>(operands[1].data);
  args.f32.out_stride = static_cast<size_t>(operands[1].pitch);
  args.s8.in = static_cast<const int8_t*>(operands[0].data);
  args.s8.in_stride = args.f32.in_stride;
  args.s8.out = static_cast<int8_t*>(operands[1].data);
  args.s8.out_stride = args.f32.out_stride;
  args.s8.in_zero_point = plan.in_zero_point;
  args.s8.multipliers = plan.multipliers;
  args.s8.multiplier_step = plan.multiplier_step;
  args.s8.zero_point = plan.rule.zero_point;
  args.s8.min = plan.rule.min;
  args.s8.max = plan.rule.max;
}

}  // namespace

extern const Lowering lowering_pool = {
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
