// SPDX-License-Identifier: Apache-2.0
// QConv and QGemm of int16: conv_s16, for which the rows of a product are pixels.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "backends/cpu/convolution.h"
#include "backends/cpu/quantized.h"
#include "kernels/conv_s16/conv_s16.h"

namespace medulla::cpu {

extern const Lowering lowering_qconv_s16;

namespace {

struct Plan {
  StepHead head;
  const ConvS16Kernel* kernel;
  ConvGeometry geometry;  // at the maximum shapes
  OutputRule rule;
  int32_t in_zero_point;
  bool is_product;
  int input;
  int output;
};

struct Args {
  ConvS16 call;
  const ConvS16Kernel* kernel;
  size_t pixels;
  size_t unit;  // pixels that make one row of the step
};

struct Reading {
  ConvS16Problem problem;
  const ConvS16Row* row;
};

constexpr const char* kOps[] = {"QConv", "QGemm"};

void set_pixels(bool product, const mdl_shape& input, const mdl_shape& output,
                ConvGeometry* geometry) {
  if (product) {
    geometry->in_w = geometry->out_w = rows_of(output);
  } else {
    set_pictures(input, output, geometry);
  }
}

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps) ||
      node.input(0)->dtype != MDL_INT16) {
    return MDL_ERROR_UNSUPPORTED;
  }
  ConvS16Problem& problem = reading->problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  const bool product = is_op(node.node(), "QGemm");
  if (product) {
    problem.conv.out_channels = static_cast<size_t>(node.input(1)->dims[0]);
    problem.conv.in_channels = static_cast<size_t>(node.input(1)->dims[1]);
  } else {
    MDL_TRY(read_convolution(group.graph(), node.node(), nullptr, &problem.conv, error));
  }
  set_pixels(product, max_shape(*node.input(0)), max_shape(group.output()), &problem.conv);
  return choose_row(cpu, "conv_s16", conv_s16_rows(), problem, &reading->row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.pixels);
  args.kernel->run(args.call, static_cast<size_t>(begin) * args.unit, last, scratch);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading = {};
  MDL_TRY(read(cpu, group, &reading, error));
  Plan* plan = make_step_data<Plan>(host, lowering_qconv_s16, step);
  const NodeView node = group.node(0);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = reading.row->kernel;
  plan->geometry = reading.problem.conv;
  plan->rule = read_output_rule(node);
  plan->in_zero_point = zero_point_of(*node.input(0));
  plan->is_product = is_op(node.node(), "QGemm");
  plan->input = group.operand(node.input(0));
  plan->output = group.operand(&group.output());
  step.kernel = reading.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = plan->kernel->scratch_bytes(plan->geometry);
  step.packed_bytes = plan->kernel->packed_bytes(plan->geometry);
  step.macs = convolution_macs(plan->geometry);
  step.strided = (1u << group.operand_count()) - 1;
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  const NodeView node = group.node(0);
  const mdl_tensor* bias = node.input(2);
  WeightsS16 weights;
  weights.weights = weight_rows(*node.input(1));
  if (bias != nullptr) weights.bias = static_cast<const int64_t*>(bias->data);
  weights.scale = static_cast<const double*>(node.input(3)->data);
  plan.kernel->pack(plan.geometry, weights, plan.in_zero_point, packed);
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  constexpr size_t kUnit = 16;  // pixels
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.kernel = plan.kernel;
  ConvGeometry& g = args.call.conv;
  g = plan.geometry;
  set_pixels(plan.is_product, shapes[plan.input], shapes[plan.output], &g);
  args.pixels = g.batch * g.out_h * g.out_w;
  args.unit = kUnit;
  rows.rows[0] = units_of(args.pixels, args.unit);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  ConvS16& call = static_cast<Args*>(memory)->call;
  call.in = static_cast<const int16_t*>(operands[plan.input].data);
  call.in_stride = static_cast<size_t>(operands[plan.input].pitch);
  call.in_zero_point = plan.in_zero_point;
  call.weights = packed;
  call.out = static_cast<int16_t*>(operands[plan.output].data);
  call.out_stride = static_cast<size_t>(operands[plan.output].pitch);
  call.zero_point = plan.rule.zero_point;
  call.min = plan.rule.min;
  call.max = plan.rule.max;
}

}  // namespace

extern const Lowering lowering_qconv_s16 = {
    .supports = supports_by<Reading, read>,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
