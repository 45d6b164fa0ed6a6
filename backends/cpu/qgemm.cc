// SPDX-License-Identifier: Apache-2.0
// QGemm: gemm_s8 on the rows of the input.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "backends/cpu/convolution.h"
#include "backends/cpu/quantized.h"
#include "kernels/gemm_s8/gemm_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qgemm;

namespace {

struct Plan {
  StepHead head;
  const GemmS8Kernel* kernel;
  size_t n;
  size_t k;
  OutputRule rule;
  int32_t in_zero_point;
  int input;
  int output;
};

struct Args {
  GemmS8 call;
  const GemmS8Kernel* kernel;
  size_t m;
  bool by_columns;  // few rows: threads share out tiles of columns instead
};

struct Reading {
  GemmS8Problem problem;
  WeightsS8 weights;
  const GemmS8Row* row;
};

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  const NodeView node = group.node(0);
  if (!is_op(node.node(), "QGemm") || group.node_count() != 1) return MDL_ERROR_UNSUPPORTED;
  MDL_TRY(read_weights_s8(node, &reading->weights, error));
  GemmS8Problem& problem = reading->problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  problem.m = rows_of(max_shape(group.output()));
  problem.n = reading->weights.n;
  problem.k = reading->weights.k;
  problem.float_output = group.output().dtype == MDL_FLOAT32;
  problem.narrow_weights = weights_fit_s8(reading->weights);
  return choose_row(cpu, "gemm_s8", gemm_s8_rows(), problem, &reading->row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t b = static_cast<size_t>(begin);
  const size_t e = static_cast<size_t>(end);
  const size_t mr = args.kernel->mr;
  const size_t nr = args.kernel->nr;
  if (args.by_columns) {
    args.kernel->run(args.call, 0, args.m, b * nr, std::min(e * nr, args.call.n), scratch);
  } else {
    args.kernel->run(args.call, b * mr, std::min(e * mr, args.m), 0, args.call.n, scratch);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading;
  MDL_TRY(read(cpu, group, &reading, error));
  Plan* plan = make_step_data<Plan>(host, lowering_qgemm, step);
  const NodeView node = group.node(0);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = reading.row->kernel;
  plan->n = reading.weights.n;
  plan->k = reading.weights.k;
  plan->rule = read_output_rule(node);
  plan->in_zero_point = zero_point_of(*node.input(0));
  plan->input = group.operand(node.input(0));
  plan->output = group.operand(&group.output());
  step.kernel = reading.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = plan->kernel->scratch_bytes(plan->k);
  step.packed_bytes = plan->kernel->packed_bytes(reading.weights);
  step.macs = uint64_t{reading.problem.m} * plan->n * plan->k;
  step.strided = (1u << group.operand_count()) - 1;
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  WeightsS8 weights;
  if (read_weights_s8(group.node(0), &weights, nullptr) != MDL_OK) return;
  plan.kernel->pack(weights, plan.in_zero_point, packed);
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.kernel = plan.kernel;
  args.m = rows_of(shapes[plan.output]);
  args.by_columns = args.m < 2 * plan.kernel->mr;
  const size_t row_tiles = (args.m + plan.kernel->mr - 1) / plan.kernel->mr;
  const size_t column_tiles = (plan.n + plan.kernel->nr - 1) / plan.kernel->nr;
  rows.rows[0] = static_cast<int64_t>(args.by_columns ? column_tiles : row_tiles);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  static_cast<Args*>(memory)->call = {.n = plan.n,
                                      .k = plan.k,
                                      .a = static_cast<const int8_t*>(operands[plan.input].data),
                                      .lda = static_cast<size_t>(operands[plan.input].pitch),
                                      .a_zero_point = plan.in_zero_point,
                                      .b = packed,
                                      .c = output_s8(plan.rule, operands[plan.output])};
}

}  // namespace

extern const Lowering lowering_qgemm = {
    .supports = supports_by<Reading, read>,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
