// SPDX-License-Identifier: Apache-2.0
// Conv in float32: conv_f32 on ranges of output pixels.
#include <algorithm>

#include "backends/cpu/chain.h"
#include "backends/cpu/convolution.h"
#include "kernels/conv_f32/conv_f32.h"

namespace medulla::cpu {

extern const Lowering lowering_conv;

namespace {

constexpr const char* kMains[] = {"Conv"};
constexpr ChainRule kRule = {.mains = kMains, .pad = true};

struct Plan {
  StepHead head;
  const ConvF32Row* row;
  ConvGeometry geometry;  // at the maximum shapes
  Clamp clamp;
  int input;
  int residual;  // -1: none
  int output;
};

struct Args {
  ConvF32 conv;
  const ConvF32Kernel* kernel;
  size_t pixels;
};

struct Reading {
  Chain chain;
  Clamp clamp;
  ConvF32Problem problem;
  const mdl_tensor* input;
  const ConvF32Row* row;
};

size_t fuse(const mdl_graph& graph, int32_t node, const uint8_t* taken, int32_t* members,
            size_t capacity) {
  return fuse_chain(kRule, graph, node, taken, members, capacity);
}

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  if (!read_chain(kRule, group.graph(), group, &reading->chain)) return MDL_ERROR_UNSUPPORTED;
  if (!read_clamp(group.graph(), reading->chain.activation, &reading->clamp)) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "its activation is not a clamp");
  }
  const mdl_node* first = reading->chain.pad != nullptr ? reading->chain.pad : reading->chain.main;
  reading->input = NodeView(group.graph(), *first).input(0);
  if (reading->input->dtype != MDL_FLOAT32) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "not float32");
  }
  const mdl_tensor* bias = NodeView(group.graph(), *reading->chain.main).input(2);
  if (bias != nullptr && bias->data == nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "bias is not constant");
  }
  ConvF32Problem& problem = reading->problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  MDL_TRY(read_convolution(group.graph(), *reading->chain.main, reading->chain.pad, &problem.conv,
                           error));
  set_pictures(max_shape(*reading->input), max_shape(group.output()), &problem.conv);
  const std::string_view forced = forced_row(cpu, "conv_f32");
  reading->row = select_row(conv_f32_rows(), problem, forced);
  return reading->row != nullptr ? MDL_OK : fail_no_row(error, "conv_f32", forced);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  Reading reading;
  return read(cpu, group, &reading, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t mr = args.kernel->mr;
  args.kernel->run(args.conv, static_cast<size_t>(begin) * mr,
                   std::min(static_cast<size_t>(end) * mr, args.pixels), scratch);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading;
  MDL_TRY(read(cpu, group, &reading, error));
  Plan* plan = make_step_data<Plan>(host, lowering_conv, step);
  if (plan == nullptr) return fail_memory(error, group.node(0));
  plan->row = reading.row;
  plan->geometry = reading.problem.conv;
  plan->clamp = reading.clamp;
  plan->input = group.operand(reading.input);
  plan->residual = group.operand(reading.chain.residual);
  plan->output = group.operand(&group.output());
  step.kernel = plan->row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = plan->row->kernel->scratch_bytes(plan->geometry);
  step.packed_bytes = conv_f32_packed_bytes(plan->row->kernel->nr, plan->geometry);
  step.macs = convolution_macs(plan->geometry);
  step.strided = (1u << group.operand_count()) - 1;
  if (plan->residual >= 0 && plan->residual != plan->input) {
    step.in_place[0] = 1u << plan->residual;
  }
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Chain chain;
  if (!read_chain(kRule, group.graph(), group, &chain)) return;
  const NodeView node(group.graph(), *chain.main);
  const mdl_tensor* bias = node.input(2);
  conv_f32_pack(plan.row->kernel->nr, plan.geometry, static_cast<const float*>(node.input(1)->data),
                bias != nullptr ? static_cast<const float*>(bias->data) : nullptr, packed);
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.kernel = plan.row->kernel;
  args.conv.conv = plan.geometry;
  ConvGeometry& g = args.conv.conv;
  set_pictures(shapes[plan.input], shapes[plan.output], &g);
  args.pixels = g.batch * g.out_h * g.out_w;
  rows.rows[0] = static_cast<int64_t>((args.pixels + args.kernel->mr - 1) / args.kernel->mr);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  ConvF32& conv = static_cast<Args*>(memory)->conv;
  conv.in = static_cast<const float*>(operands[plan.input].data);
  conv.in_stride = static_cast<size_t>(operands[plan.input].pitch);
  conv.weights = packed;
  conv.out = static_cast<float*>(operands[plan.output].data);
  conv.out_stride = static_cast<size_t>(operands[plan.output].pitch);
  conv.lo = plan.clamp.lo;
  conv.hi = plan.clamp.hi;
  if (plan.residual >= 0) {
    conv.residual = static_cast<const float*>(operands[plan.residual].data);
    conv.residual_stride = static_cast<size_t>(operands[plan.residual].pitch);
  }
}

}  // namespace

extern const Lowering lowering_conv = {
    .fuse = fuse,
    .supports = supports,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
