// SPDX-License-Identifier: Apache-2.0
// BatchNormalization and what follows it: norm_f32 on ranges of rows. Packed are its factors.
#include <algorithm>
#include <cmath>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "kernels/norm_f32/norm_f32.h"
#include "src/ops/norm.h"

namespace medulla::cpu {

extern const Lowering lowering_batch_norm;

namespace {

constexpr const char* kMains[] = {"BatchNormalization"};
constexpr ChainRule kRule = {.mains = kMains, .residual = false};

struct Plan {
  StepHead head;
  const NormF32Kernel* kernel;
  Activation activation;
  const float* mean;
  const float* bias;
};

struct Args {
  const Plan* plan;
  BatchNormF32 call;
  const float* x;
  float* y;
  size_t rows;
  size_t unit;  // tensor rows that make one row of the step
};

struct Reading {
  Chain chain;
  Activation activation;
  const NormF32Row* row;
};

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  if (!read_chain(kRule, group.graph(), group, &reading->chain)) return MDL_ERROR_UNSUPPORTED;
  const NodeView node(group.graph(), *reading->chain.main);
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  for (size_t i = 1; i < node.input_count(); ++i) {
    if (node.input(i)->data != nullptr) continue;
    return fail(error, MDL_ERROR_UNSUPPORTED, "its parameters are not constant");
  }
  MDL_TRY(
      read_activation(cpu, group.graph(), reading->chain.activation, &reading->activation, error));
  return choose_row(cpu, "norm_f32", norm_f32_rows(), kernel_request(cpu), &reading->row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  for (int64_t i = begin; i < end; ++i) {
    const size_t first = static_cast<size_t>(i) * args.unit;
    const size_t rows = std::min(args.unit, args.rows - first);
    float* const y = args.y + first * args.call.y_stride;
    plan.kernel->batch(args.call, args.x + first * args.call.x_stride, y, rows);
    if (plan.activation.function != nullptr) {
      activate(plan.activation, y, rows, args.call.n, args.call.y_stride);
    }
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading;
  MDL_TRY(read(cpu, group, &reading, error));
  const NodeView node(group.graph(), *reading.chain.main);
  Plan* plan = make_step_data<Plan>(host, lowering_batch_norm, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = reading.row->kernel;
  plan->activation = reading.activation;
  plan->mean = floats_of(node.input(3));
  plan->bias = floats_of(node.input(2));
  step.kernel = reading.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.packed_bytes = node.input(1)->bytes;
  step.strided = 3;
  step.in_place[0] = 1;
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step&, void* packed) {
  const NodeView node = group.node(0);
  const float* const scale = floats_of(node.input(1));
  const float* const variance = floats_of(node.input(4));
  const float epsilon = float_attribute(node, "epsilon", kNormEpsilon);
  float* const k = static_cast<float*>(packed);
  for (size_t c = 0; c < node.input(1)->bytes / sizeof(float); ++c) {
    k[c] = scale[c] / std::sqrt(variance[c] + epsilon);
  }
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  args.call.n = columns_of(shapes[0]);
  args.call.mean = plan.mean;
  args.call.bias = plan.bias;
  args.call.lo = plan.activation.lo;
  args.call.hi = plan.activation.hi;
  args.rows = rows_of(shapes[0]);
  rows.rows[0] = cut_in_cache(args.rows, args.call.n, &args.unit);
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void* packed, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.call.k = static_cast<const float*>(packed);
  args.x = static_cast<const float*>(operands[0].data);
  args.y = static_cast<float*>(operands[1].data);
  args.call.x_stride = static_cast<size_t>(operands[0].pitch);
  args.call.y_stride = static_cast<size_t>(operands[1].pitch);
}

}  // namespace

extern const Lowering lowering_batch_norm = {
    .fuse = fuse_by<kRule>,
    .supports = supports_by<Reading, read>,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
