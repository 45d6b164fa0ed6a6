// SPDX-License-Identifier: Apache-2.0
// QAdd and QSub by add_s8, QMul by mul_s8: row by row, or at once where both operands have the
// output's shape.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/broadcast.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/add_s8/add_s8.h"
#include "kernels/mul_s8/mul_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qadd;

namespace {

struct Plan {
  StepHead head;
  const AddS8Kernel* add;  // null: mul is taken
  const MulS8Kernel* mul;
  AddS8 sum;
  MulS8 product;
  Source a;
  Source b;
  int output;
};

struct Input {
  const int8_t* data;
  RowWalk walk;
  size_t columns;  // 1: one value for the whole row
};

struct Args {
  const Plan* plan;
  Input a;
  Input b;
  int8_t* y;
  size_t rows;
  size_t columns;
  size_t unit;  // tensor rows that make one row of the step
};

struct Rows {
  const AddS8Row* add;
  const MulS8Row* mul;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, Rows* rows, mdl_error* error) {
  constexpr const char* kOps[] = {"QAdd", "QMul", "QSub"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  MDL_TRY(check_s8(node, error));
  *rows = {};
  if (is_op(node.node(), "QMul")) {
    return choose_row(cpu, "mul_s8", mul_s8_rows(), kernel_request(cpu), &rows->mul, error);
  }
  return choose_row(cpu, "add_s8", add_s8_rows(), kernel_request(cpu), &rows->add, error);
}

AddS8 exchanged(AddS8 p) {
  std::swap(p.zero_point_a, p.zero_point_b);
  std::swap(p.k_a, p.k_b);
  return p;
}
MulS8 exchanged(MulS8 p) {
  std::swap(p.zero_point_a, p.zero_point_b);
  return p;
}

void compute(const Plan& plan, const int8_t* a, const int8_t* b, int8_t* y, size_t n) {
  if (plan.add != nullptr) {
    plan.add->add(plan.sum, a, b, y, n);
  } else {
    plan.mul->mul(plan.product, a, b, y, n);
  }
}

// One value of b, or with `swap` of a, for all.
void compute_one(const Plan& plan, bool swap, const int8_t* a, const int8_t* b, int8_t* y,
                 size_t n) {
  if (swap) std::swap(a, b);
  if (plan.add != nullptr) {
    plan.add->add_one(swap ? exchanged(plan.sum) : plan.sum, a, b, y, n);
  } else {
    plan.mul->mul_one(swap ? exchanged(plan.product) : plan.product, a, b, y, n);
  }
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.rows);
  const size_t n = args.columns;
  const bool one_a = args.a.columns < n;
  const bool one_b = args.b.columns < n;
  int8_t* y = args.y + first * n;
  if (args.a.walk.has_all && args.b.walk.has_all && !one_a && !one_b) {
    compute(plan, args.a.data + first * n, args.b.data + first * n, y, (last - first) * n);
    return MDL_OK;
  }
  for (size_t r = first; r < last; ++r, y += n) {
    const int8_t* a = args.a.data + args.a.walk.at(r) * args.a.columns;
    const int8_t* b = args.b.data + args.b.walk.at(r) * args.b.columns;
    if (one_a || one_b) {
      compute_one(plan, one_a, a, b, y, n);
    } else {
      compute(plan, a, b, y, n);
    }
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Rows rows;
  MDL_TRY(choose(cpu, group, &rows, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qadd, step);
  if (plan == nullptr) return fail_memory(error, node);
  const OutputRule rule = read_output_rule(node);
  const int32_t z_a = zero_point_of(*node.input(0));
  const int32_t z_b = zero_point_of(*node.input(1));
  plan->add = rows.add != nullptr ? rows.add->kernel : nullptr;
  plan->mul = rows.mul != nullptr ? rows.mul->kernel : nullptr;
  if (rows.add != nullptr) {
    const float k_b = static_cast<float>(node.floats("multipliers")[1]);
    plan->sum = {.zero_point_a = z_a,
                 .zero_point_b = z_b,
                 .k_a = static_cast<float>(node.floats("multipliers")[0]),
                 .k_b = is_op(node.node(), "QSub") ? -k_b : k_b,
                 .zero_point = rule.zero_point,
                 .min = rule.min,
                 .max = rule.max};
  } else {
    plan->product = {.zero_point_a = z_a,
                     .zero_point_b = z_b,
                     .k = static_cast<float>(node.float_or("multiplier", 0)),
                     .zero_point = rule.zero_point,
                     .min = rule.min,
                     .max = rule.max};
  }
  plan->a = read_source(group, node.input(0));
  plan->b = read_source(group, node.input(1));
  plan->output = group.operand(node.output(0));
  step.kernel = rows.add != nullptr ? rows.add->name : rows.mul->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  for (const Source* source : {&plan->a, &plan->b}) {
    if (is_in_place(*source, max_shape(group.output()))) step.in_place[0] |= 1u << source->operand;
  }
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  const mdl_shape& y = shapes[plan.output];
  args.plan = &plan;
  const auto set = [&](const Source& source, Input* input) {
    const mdl_shape& shape = shape_of(source, shapes);
    input->walk = row_walk(shape, y);
    input->columns = columns_of(shape);
  };
  set(plan.a, &args.a);
  set(plan.b, &args.b);
  args.rows = rows_of(y);
  args.columns = columns_of(y);
  rows.rows[0] = cut_in_cache(args.rows, args.columns, &args.unit);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  const auto data = [&](const Source& source) {
    return static_cast<const int8_t*>(source.operand >= 0 ? operands[source.operand].data
                                                          : source.constant);
  };
  args.a.data = data(plan.a);
  args.b.data = data(plan.b);
  args.y = static_cast<int8_t*>(operands[plan.output].data);
}

}  // namespace

extern const Lowering lowering_qadd = {
    .supports = supports_by<Rows, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
