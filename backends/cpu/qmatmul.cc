// SPDX-License-Identifier: Apache-2.0
// QMatMul of two activations: gemm_s8, whose right side is packed while it runs, some columns of
// one matrix at a time. A right side that is no int8 any more less its zero point is packed as it
// is for rows that take bytes alone, for
//   sum (a - z_a)(b - z_b) = sum (a - z_a) b - z_b * sum (a - z_a),
// and the second sum is one of each row of the left side.
#include <algorithm>
#include <cstring>

#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "src/ops/broadcast.h"

namespace medulla::cpu {

extern const Lowering lowering_qmatmul;

namespace {

constexpr size_t kColumns = 128;  // that are packed together

struct Plan {
  StepHead head;
  const GemmS8Kernel* kernel;
  OutputRule rule;
  float multiplier;
  int32_t a_zero_point;
  int32_t b_zero_point;
  size_t packed_bytes;  // at the front of the scratch
  size_t bias_bytes;    // behind them: biases of rows; 0: none
  int a;
  int b;
  int output;
};

struct Args {
  const Plan* plan;
  const int8_t* a;
  const int8_t* b;
  OutputS8 y;
  mdl_shape stack;  // what stands in front of the output's matrices
  Strides a_strides;
  Strides b_strides;
  size_t m;
  size_t n;
  size_t k;
  size_t blocks;  // of columns of a matrix
};

size_t at_end(const mdl_shape& shape, uint32_t d) {
  return static_cast<size_t>(shape.dims[shape.rank - d]);
}

mdl_shape without_matrix(mdl_shape shape) {
  shape.rank -= 2;
  return shape;
}

WeightsS8 weights_of(const Plan& plan, size_t n, size_t k) {
  WeightsS8 weights;
  weights.n = n;
  weights.k = k;
  weights.n_stride = 1;
  weights.zero_points = plan.bias_bytes == 0 ? &plan.b_zero_point : nullptr;
  weights.zero_point_step = 0;
  weights.scale = &plan.multiplier;
  weights.scale_step = 0;
  return weights;
}

struct Choice {
  const GemmS8Row* row;
  bool row_bias;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, Choice* choice, mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "QMatMul")) return MDL_ERROR_UNSUPPORTED;
  for (size_t i = 0; i < 2; ++i) {
    if (node.input(i)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
    if (node.input(i)->rank < 2) return fail(error, MDL_ERROR_UNSUPPORTED, "a vector");
  }
  const mdl_shape a = max_shape(*node.input(0));
  GemmS8Problem problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  problem.m = at_end(a, 2);
  problem.k = at_end(a, 1);
  problem.n = at_end(max_shape(group.output()), 1);
  problem.float_output = group.output().dtype == MDL_FLOAT32;
  problem.narrow_weights = true;
  problem.constant_weights = false;
  problem.row_bias = choice->row_bias = zero_point_of(*node.input(1)) != 0;
  const auto rows = gemm_s8_rows();
  if (choose_row(cpu, "gemm_s8", rows, problem, &choice->row, error) == MDL_OK) return MDL_OK;
  problem.narrow_weights = !choice->row_bias;
  problem.row_bias = choice->row_bias = false;
  return choose_row(cpu, "gemm_s8", rows, problem, &choice->row, error);
}

// -z_b * sum (a - z_a) of each row of a matrix. In lanes of a fixed number, for vectors.
void make_row_bias(const Args& args, const int8_t* a, int32_t* bias) {
  constexpr size_t kLanes = 16;
  const uint32_t z_a = static_cast<uint32_t>(args.plan->a_zero_point);
  const uint32_t z_b = static_cast<uint32_t>(args.plan->b_zero_point);
  for (size_t row = 0; row < args.m; ++row, a += args.k) {
    uint32_t sums[kLanes] = {};
    for (size_t k = 0; k < args.k; k += kLanes) {
      int8_t values[kLanes] = {};
      if (args.k - k >= kLanes) {
        std::memcpy(values, a + k, kLanes);
      } else {
        std::memcpy(values, a + k, args.k - k);
      }
      for (size_t i = 0; i < kLanes; ++i) sums[i] += static_cast<uint32_t>(values[i]);
    }
    uint32_t sum = 0u - z_a * static_cast<uint32_t>(args.k);
    for (const uint32_t lane : sums) sum += lane;
    bias[row] = static_cast<int32_t>(0u - z_b * sum);
  }
}

// Columns [n0, n0 + n) of a product.
void run_block(const Args& args, const int8_t* a, const int8_t* b, size_t row, size_t n0,
               unsigned char* scratch) {
  const Plan& plan = *args.plan;
  WeightsS8 weights = weights_of(plan, std::min(kColumns, args.n - n0), args.k);
  weights.w = b + n0;
  weights.k_stride = args.n;
  plan.kernel->pack(weights, plan.a_zero_point, scratch);
  OutputS8 y = args.y;
  if (plan.bias_bytes > 0) {
    auto* const bias = reinterpret_cast<int32_t*>(scratch + plan.packed_bytes);
    make_row_bias(args, a, bias);
    y.row_bias = bias;
  }
  const size_t to = row * args.n + n0;
  if (y.s8 != nullptr) {
    y.s8 += to;
  } else {
    y.f32 += to;
  }
  const GemmS8 call = {.n = weights.n,
                       .k = args.k,
                       .a = a,
                       .lda = args.k,
                       .a_zero_point = plan.a_zero_point,
                       .b = scratch,
                       .c = y};
  plan.kernel->run(call, 0, args.m, 0, call.n, scratch + plan.packed_bytes + plan.bias_bytes);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  for (size_t i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
    const size_t matrix = i / args.blocks;
    auto index = static_cast<int64_t>(matrix);
    int64_t a = 0;
    int64_t b = 0;
    for (uint32_t d = args.stack.rank; d-- > 0; index /= args.stack.dims[d]) {
      a += index % args.stack.dims[d] * args.a_strides.of[d];
      b += index % args.stack.dims[d] * args.b_strides.of[d];
    }
    run_block(args, args.a + static_cast<size_t>(a) * args.m * args.k,
              args.b + static_cast<size_t>(b) * args.k * args.n, matrix * args.m,
              i % args.blocks * kColumns, static_cast<unsigned char*>(scratch));
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Choice choice;
  MDL_TRY(choose(cpu, group, &choice, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qmatmul, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = choice.row->kernel;
  plan->rule = read_output_rule(node);
  plan->multiplier = static_cast<float>(node.float_or("multiplier", 0));
  plan->a_zero_point = zero_point_of(*node.input(0));
  plan->b_zero_point = zero_point_of(*node.input(1));
  plan->a = group.operand(node.input(0));
  plan->b = group.operand(node.input(1));
  plan->output = group.operand(&group.output());
  const size_t k = at_end(max_shape(*node.input(0)), 1);
  const size_t n = std::min(kColumns, at_end(max_shape(group.output()), 1));
  const auto aligned = [](size_t bytes) {
    return (bytes + kPackAlign - 1) / kPackAlign * kPackAlign;
  };
  const size_t m = at_end(max_shape(*node.input(0)), 2);
  plan->bias_bytes = choice.row_bias ? aligned(m * sizeof(int32_t)) : 0;
  plan->packed_bytes = aligned(plan->kernel->packed_bytes(weights_of(*plan, n, k)));
  step.kernel = choice.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = plan->packed_bytes + plan->bias_bytes + plan->kernel->scratch_bytes(k);
  const mdl_shape output = max_shape(group.output());
  step.macs = uint64_t{rows_of(output)} * columns_of(output) * k;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  args.m = at_end(shapes[plan.output], 2);
  args.n = at_end(shapes[plan.output], 1);
  args.k = at_end(shapes[plan.a], 1);
  args.stack = without_matrix(shapes[plan.output]);
  args.a_strides = broadcast_strides(without_matrix(shapes[plan.a]), args.stack);
  args.b_strides = broadcast_strides(without_matrix(shapes[plan.b]), args.stack);
  args.blocks = (args.n + kColumns - 1) / kColumns;
  int64_t matrices = 1;
  for (uint32_t d = 0; d < args.stack.rank; ++d) matrices *= args.stack.dims[d];
  rows.rows[0] = matrices * static_cast<int64_t>(args.blocks);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.a = static_cast<const int8_t*>(operands[plan.a].data);
  args.b = static_cast<const int8_t*>(operands[plan.b].data);
  args.y = output_s8(plan.rule, operands[plan.output]);
  args.y.stride = args.n;
}

}  // namespace

extern const Lowering lowering_qmatmul = {
    .supports = supports_by<Choice, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
