// SPDX-License-Identifier: Apache-2.0
// Gemm, MatMul by a constant matrix and pointwise Conv, in float32: gemm_f32 on the rows of the
// input.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/convolution.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace medulla::cpu {

extern const Lowering lowering_gemm;

namespace {

constexpr const char* kMains[] = {"Conv", "Gemm", "MatMul"};
constexpr ChainRule kRule = {.mains = kMains};

struct Plan {
  StepHead head;
  const GemmF32Row* row;
  size_t n;
  size_t k;
  Activation activation;
  int input;
  int residual;  // -1: none
  int output;
};

struct Args {
  GemmF32 gemm;
  const GemmF32Kernel* kernel;
  const Activation* activation;
  size_t m;
  bool by_columns;  // few rows: threads share out tiles of columns instead
};

// Where B[k][n] stands in the constant, in floats.
struct Weights {
  const mdl_tensor* tensor;
  const mdl_tensor* bias;
  size_t n;
  size_t k;
  size_t k_stride;
  size_t n_stride;
};

mdl_status check_bias(const Weights& weights, mdl_error* error) {
  if (weights.bias == nullptr) return MDL_OK;
  const mdl_tensor& bias = *weights.bias;
  const bool row = bias.rank > 0 && static_cast<size_t>(bias.dims[bias.rank - 1]) == weights.n &&
                   (bias.rank == 1 || bias.dims[0] == 1);
  if (bias.data != nullptr && row) return MDL_OK;
  return fail(error, MDL_ERROR_UNSUPPORTED, "bias is not a constant row");
}

mdl_status read_weights(const NodeView& node, Weights* weights, mdl_error* error) {
  const mdl_tensor& b = *node.input(1);
  if (node.input(0)->dtype != MDL_FLOAT32) return fail(error, MDL_ERROR_UNSUPPORTED, "not float32");
  if (b.data == nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "weights are not constant");
  weights->bias = node.input(2);
  if (is_op(node.node(), "Conv")) {
    if (!is_pointwise(node)) return fail(error, MDL_ERROR_UNSUPPORTED, "not pointwise");
    const size_t channels = static_cast<size_t>(b.dims[b.rank - 1]);
    *weights = {&b, weights->bias, static_cast<size_t>(b.dims[0]), channels, 1, channels};
    return check_bias(*weights, error);
  }
  if (b.rank != 2) return fail(error, MDL_ERROR_UNSUPPORTED, "weights have rank ", b.rank);
  if (node.input(0)->rank < 2) return fail(error, MDL_ERROR_UNSUPPORTED, "input has rank below 2");
  const bool transposed = node.int_or("transB", 0) != 0;
  const size_t rows = static_cast<size_t>(b.dims[0]);
  const size_t columns = static_cast<size_t>(b.dims[1]);
  *weights = transposed ? Weights{&b, weights->bias, rows, columns, 1, columns}
                        : Weights{&b, weights->bias, columns, rows, columns, 1};
  if (node.int_or("transA", 0) != 0) return fail(error, MDL_ERROR_UNSUPPORTED, "transA");
  if (node.float_or("alpha", 1.0) != 1.0 || node.float_or("beta", 1.0) != 1.0) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "alpha or beta is not 1");
  }
  return check_bias(*weights, error);
}

mdl_status choose(const Cpu& cpu, const Weights& weights, size_t m, const GemmF32Row** row,
                  mdl_error* error) {
  GemmF32Problem problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  problem.m = m;
  problem.n = weights.n;
  problem.k = weights.k;
  return choose_row(cpu, "gemm_f32", gemm_f32_rows(), problem, row, error);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  Chain chain;
  Activation activation;
  if (!read_chain(kRule, group.graph(), group, &chain)) return MDL_ERROR_UNSUPPORTED;
  MDL_TRY(read_activation(cpu, group.graph(), chain.activation, &activation, error));
  Weights weights;
  MDL_TRY(read_weights({group.graph(), *chain.main}, &weights, error));
  const GemmF32Row* row = nullptr;
  return choose(cpu, weights, rows_of(max_shape(group.output())), &row, error);
}

// Computes a block of C and, where there is a function, applies it while the block is in the cache.
void run_block(const Args& args, size_t m0, size_t m1, size_t n0, size_t n1) {
  args.kernel->run(args.gemm, m0, m1, n0, n1);
  if (args.activation->function == nullptr) return;
  activate(*args.activation, args.gemm.c + m0 * args.gemm.ldc + n0, m1 - m0, n1 - n0,
           args.gemm.ldc);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t b = static_cast<size_t>(begin);
  const size_t e = static_cast<size_t>(end);
  const size_t mr = args.kernel->mr;
  const size_t nr = args.kernel->nr;
  if (args.by_columns) {
    run_block(args, 0, args.m, b * nr, std::min(e * nr, args.gemm.n));
    return MDL_OK;
  }
  const size_t last = std::min(e * mr, args.m);
  const size_t tiles = std::max<size_t>(1, rows_in_cache(args.gemm.n) / mr);
  const size_t block = args.activation->function != nullptr ? tiles * mr : last;
  for (size_t m = b * mr; m < last; m += block) {
    run_block(args, m, std::min(m + block, last), 0, args.gemm.n);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Chain chain;
  read_chain(kRule, group.graph(), group, &chain);
  const NodeView node(group.graph(), *chain.main);
  Weights weights;
  MDL_TRY(read_weights(node, &weights, error));
  Plan* plan = make_step_data<Plan>(host, lowering_gemm, step);
  if (plan == nullptr) return fail_memory(error, node);
  const size_t m = rows_of(max_shape(group.output()));
  MDL_TRY(choose(cpu, weights, m, &plan->row, error));
  plan->n = weights.n;
  plan->k = weights.k;
  MDL_TRY(read_activation(cpu, group.graph(), chain.activation, &plan->activation, error));
  plan->input = group.operand(node.input(0));
  plan->residual = group.operand(chain.residual);
  plan->output = group.operand(&group.output());
  step.kernel = plan->row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.packed_bytes = gemm_f32_packed_bytes(plan->row->kernel->nr, weights.n, weights.k);
  step.macs = uint64_t{m} * weights.n * weights.k;
  step.strided = (1u << group.operand_count()) - 1;
  if (plan->residual >= 0 && plan->residual != plan->input) {
    step.in_place[0] = 1u << plan->residual;
  }
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Chain chain;
  Weights weights;
  if (!read_chain(kRule, group.graph(), group, &chain)) return;
  if (read_weights({group.graph(), *chain.main}, &weights, nullptr) != MDL_OK) return;
  gemm_f32_pack(plan.row->kernel->nr, plan.n, plan.k, floats_of(weights.tensor), weights.k_stride,
                weights.n_stride, floats_of(weights.bias), packed);
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.kernel = plan.row->kernel;
  args.activation = &plan.activation;
  args.m = rows_of(shapes[plan.output]);
  args.by_columns = args.m < 2 * args.kernel->mr;
  const size_t row_tiles = (args.m + args.kernel->mr - 1) / args.kernel->mr;
  const size_t column_tiles = (plan.n + args.kernel->nr - 1) / args.kernel->nr;
  rows.rows[0] = static_cast<int64_t>(args.by_columns ? column_tiles : row_tiles);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  GemmF32& gemm = static_cast<Args*>(memory)->gemm;
  const mdl_operand& input = operands[plan.input];
  const mdl_operand& output = operands[plan.output];
  gemm = {.n = plan.n,
          .k = plan.k,
          .a = static_cast<const float*>(input.data),
          .lda = static_cast<size_t>(input.pitch),
          .b = packed,
          .c = static_cast<float*>(output.data),
          .ldc = static_cast<size_t>(output.pitch),
          .lo = plan.activation.lo,
          .hi = plan.activation.hi};
  if (plan.residual >= 0) {
    gemm.residual = static_cast<const float*>(operands[plan.residual].data);
    gemm.ldr = static_cast<size_t>(operands[plan.residual].pitch);
  }
}

}  // namespace

extern const Lowering lowering_gemm = {
    .fuse = fuse_by<kRule>,
    .supports = supports,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
