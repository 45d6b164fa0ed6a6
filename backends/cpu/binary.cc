// SPDX-License-Identifier: Apache-2.0
// Operations on two float tensors with broadcasting, and a clamp behind them: elementwise_f32 row
// by row, or at once where both are dense and of one shape.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/broadcast.h"
#include "backends/cpu/chain.h"

namespace medulla::cpu {

extern const Lowering lowering_binary;

namespace {

constexpr const char* kMains[] = {"Add", "Div", "Max", "Min", "Mul", "Sub"};
constexpr BinaryF32 kFunctions[] = {BinaryF32::add, BinaryF32::div, BinaryF32::max,
                                    BinaryF32::min, BinaryF32::mul, BinaryF32::sub};
constexpr ChainRule kRule = {.mains = kMains, .residual = false};

struct Plan {
  StepHead head;
  const ElementwiseF32Kernel* kernel;
  BinaryF32 function;
  float lo;
  float hi;
  Source a;
  Source b;
  int output;
};

struct Input {
  const float* data;
  size_t pitch;
  RowWalk walk;
};

struct Args {
  ElementwiseF32Kernel::Binary function;
  Input a;
  Input b;
  float* y;
  size_t y_pitch;
  float lo;
  float hi;
  size_t rows;
  size_t columns;
  size_t unit;  // tensor rows that make one row of the step
  bool one_shape;
};

struct Reading {
  Chain chain;
  Activation activation;
  const ElementwiseF32Row* row;
};

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  if (!read_chain(kRule, group.graph(), group, &reading->chain)) return MDL_ERROR_UNSUPPORTED;
  const NodeView node(group.graph(), *reading->chain.main);
  if (node.input(0)->dtype != MDL_FLOAT32) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "not float32");
  }
  MDL_TRY(
      read_activation(cpu, group.graph(), reading->chain.activation, &reading->activation, error));
  if (reading->activation.function != nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "its activation is not a clamp");
  }
  return choose_row(cpu, "elementwise_f32", elementwise_f32_rows(), kernel_request(cpu),
                    &reading->row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.rows);
  const size_t dense = args.columns;
  if (args.one_shape && args.a.pitch == dense && args.b.pitch == dense && args.y_pitch == dense) {
    const size_t at = first * args.columns;
    args.function(args.a.data + at, args.b.data + at, args.y + at, (last - first) * args.columns,
                  args.lo, args.hi);
    return MDL_OK;
  }
  for (size_t r = first; r < last; ++r) {
    args.function(args.a.data + args.a.walk.at(r) * args.a.pitch,
                  args.b.data + args.b.walk.at(r) * args.b.pitch, args.y + r * args.y_pitch,
                  args.columns, args.lo, args.hi);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading;
  MDL_TRY(read(cpu, group, &reading, error));
  const NodeView node(group.graph(), *reading.chain.main);
  Plan* plan = make_step_data<Plan>(host, lowering_binary, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = reading.row->kernel;
  for (size_t i = 0; i < std::size(kMains); ++i) {
    if (is_op(node.node(), kMains[i])) plan->function = kFunctions[i];
  }
  plan->lo = reading.activation.lo;
  plan->hi = reading.activation.hi;
  plan->a = read_source(group, node.input(0));
  plan->b = read_source(group, node.input(1));
  plan->output = group.operand(&group.output());
  step.kernel = reading.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.strided = (1u << group.operand_count()) - 1;
  for (const Source* source : {&plan->a, &plan->b}) {
    if (is_in_place(*source, max_shape(group.output()))) step.in_place[0] |= 1u << source->operand;
  }
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  const mdl_shape& a = shape_of(plan.a, shapes);
  const mdl_shape& b = shape_of(plan.b, shapes);
  const mdl_shape& y = shapes[plan.output];
  args.columns = columns_of(y);
  BroadcastF32 broadcast = BroadcastF32::none;
  if (columns_of(a) < args.columns) broadcast = BroadcastF32::a;
  if (columns_of(b) < args.columns) broadcast = BroadcastF32::b;
  args.function =
      plan.kernel->binary[static_cast<size_t>(plan.function)][static_cast<size_t>(broadcast)];
  args.a.walk = row_walk(a, y);
  args.b.walk = row_walk(b, y);
  args.lo = plan.lo;
  args.hi = plan.hi;
  args.rows = rows_of(y);
  args.one_shape = args.a.walk.has_all && args.b.walk.has_all && broadcast == BroadcastF32::none;
  rows.rows[0] = cut_in_cache(args.rows, args.columns, &args.unit);
  return MDL_OK;
}

void set_input(const Source& source, const mdl_operand* operands, Input* input) {
  if (source.operand >= 0) {
    input->data = static_cast<const float*>(operands[source.operand].data);
    input->pitch = static_cast<size_t>(operands[source.operand].pitch);
  } else {
    input->data = static_cast<const float*>(source.constant);
    input->pitch = columns_of(source.shape);
  }
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  set_input(plan.a, operands, &args.a);
  set_input(plan.b, operands, &args.b);
  args.y = static_cast<float*>(operands[plan.output].data);
  args.y_pitch = static_cast<size_t>(operands[plan.output].pitch);
}

}  // namespace

extern const Lowering lowering_binary = {
    .fuse = fuse_by<kRule>,
    .supports = supports_by<Reading, read>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
