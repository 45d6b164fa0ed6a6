// SPDX-License-Identifier: Apache-2.0
// QConv: dwconv_s8 where it is depthwise, winograd_s8 where it pays, else conv_s8; groups of few
// channels are merged there.
#include <cstring>

#include "backends/cpu/chain.h"
#include "backends/cpu/convolution.h"
#include "backends/cpu/quantized.h"
#include "kernels/conv_s8/conv_s8.h"
#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/winograd_s8/winograd_s8.h"

namespace medulla::cpu {

extern const Lowering lowering_qconv;

namespace {

struct Plan {
  StepHead head;
  const ConvS8Kernel* kernel;
  ConvGeometry geometry;  // at the maximum shapes, of merged groups
  OutputRule rule;
  size_t merged;
  size_t kernel_bytes;  // packed, then the weights of merged groups
  bool is_pointwise;
  int32_t in_zero_point;
  int input;
  int output;
};

struct Args {
  ConvS8 call;
  const ConvS8Kernel* kernel;
};

struct Reading {
  ConvS8Problem problem;
  WeightsS8 weights;  // of the node
  size_t merged;      // groups of the node in one of the problem
  const ConvS8Row* row;
};

// Where no output reads another's inputs, all pixels are one row.
void set_pictures(bool pointwise, const mdl_shape& input, const mdl_shape& output,
                  ConvGeometry* geometry) {
  cpu::set_pictures(input, output, geometry);
  if (!pointwise) return;
  geometry->out_w *= geometry->batch * geometry->out_h;
  geometry->in_w = geometry->out_w;
  geometry->batch = geometry->in_h = geometry->out_h = 1;
}

// How many groups become one: as many as fill a panel of outputs, whose columns would else be idle,
// so that more channels of a pixel are gathered at a time. Where few are left all do for kernels of
// vectors, which gather nothing without groups; measured on Zen 4.
size_t merged_groups(const ConvGeometry& c, bool vectors) {
  constexpr size_t kFewChannels = 8, kFewGroups = 4, kMostOutputs = 128;
  if (c.in_channels / c.groups > kFewChannels) return 1;
  const size_t fill = kPanelS8 / (c.out_channels / c.groups);
  size_t count = fill > 1 ? fill : 1;
  while (c.groups % count != 0) --count;
  const bool all = vectors && c.groups <= kFewGroups * count && c.out_channels <= kMostOutputs;
  return all ? c.groups : count;
}

// The weights of merged groups, to `to`: outputs give nothing to inputs of others' groups.
WeightsS8 merge_weights(const WeightsS8& w, const ConvGeometry& geometry, size_t merged,
                        int8_t* to) {
  const size_t outputs = geometry.out_channels / geometry.groups / merged;
  const size_t channels = geometry.in_channels / geometry.groups / merged;
  WeightsS8 all = w;
  all.k = all.n_stride = w.k * merged;
  all.w = to;
  for (size_t n = 0; n < w.n; ++n, to += all.k) {
    std::memset(to, zero_point_of(w, n) & 0xff, all.k);
    const int8_t* from = w.w + n * w.n_stride;
    int8_t* tap = to + n / outputs % merged * channels;
    for (size_t k = 0; k < w.k; k += channels, tap += channels * merged) {
      std::memcpy(tap, from + k, channels);
    }
  }
  return all;
}

// The row of winograd_s8 that is faster than the chosen one, or is forced; null if there is none.
const ConvS8Row* winograd_row(const Cpu& cpu, const Reading& direct) {
  if (direct.problem.conv.groups != 1 || !forced_row(cpu, "conv_s8").empty()) return nullptr;
  const std::string_view forced = forced_row(cpu, "winograd_s8");
  const Isa isa = direct.row->isa;
  if (forced.empty() && !winograd_s8_pays(isa, direct.problem.conv)) return nullptr;
  ConvS8Problem problem = direct.problem;
  problem.weight_sum = largest_weight_sum_s8(direct.weights);
  const ConvS8Row* row = select_row(winograd_s8_rows(), problem, forced);
  // Of 16-bit factors AVX-VNNI multiplies no more at a time than AVX2.
  const Isa wanted = isa == Isa::avxvnni ? Isa::avx2 : isa;
  return row != nullptr && (row->isa == wanted || !forced.empty()) ? row : nullptr;
}

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  const NodeView node = group.node(0);
  if (!is_op(node.node(), "QConv") || group.node_count() != 1) return MDL_ERROR_UNSUPPORTED;
  MDL_TRY(read_weights_s8(node, &reading->weights, error));
  ConvS8Problem& problem = reading->problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  MDL_TRY(read_convolution(group.graph(), node.node(), nullptr, &problem.conv, error));
  set_pictures(is_pointwise(node), max_shape(*node.input(0)), max_shape(group.output()),
               &problem.conv);
  problem.float_output = group.output().dtype == MDL_FLOAT32;
  problem.narrow_weights = weights_fit_s8(reading->weights);
  const bool depthwise = is_depthwise(node);
  const char* family = depthwise ? "dwconv_s8" : "conv_s8";
  const std::span<const ConvS8Row> rows = depthwise ? dwconv_s8_rows() : conv_s8_rows();
  MDL_TRY(choose_row(cpu, family, rows, problem, &reading->row, error));
  reading->merged = depthwise ? 1 : merged_groups(problem.conv, reading->row->isa != Isa::portable);
  if (reading->merged == 1) return MDL_OK;
  problem.conv.groups /= reading->merged;
  return choose_row(cpu, family, rows, problem, &reading->row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  args.kernel->run(args.call, static_cast<size_t>(begin), static_cast<size_t>(end), scratch);
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading;
  MDL_TRY(read(cpu, group, &reading, error));
  Plan* plan = make_step_data<Plan>(host, lowering_qconv, step);
  const NodeView node = group.node(0);
  if (plan == nullptr) return fail_memory(error, node);
  const ConvS8Row* const winograd = winograd_row(cpu, reading);
  if (winograd != nullptr) reading.row = winograd;
  plan->kernel = reading.row->kernel;
  plan->geometry = reading.problem.conv;
  plan->rule = read_output_rule(node);
  plan->merged = reading.merged;
  plan->is_pointwise = is_pointwise(node);
  plan->in_zero_point = zero_point_of(*node.input(0));
  plan->input = group.operand(node.input(0));
  plan->output = group.operand(&group.output());
  step.kernel = reading.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = plan->kernel->scratch_bytes(plan->geometry);
  WeightsS8 weights = reading.weights;
  weights.k *= reading.merged;
  plan->kernel_bytes = plan->kernel->packed_bytes(plan->geometry, weights);
  step.packed_bytes = plan->kernel_bytes + (reading.merged > 1 ? weights.n * weights.k : 0);
  step.macs = convolution_macs(plan->geometry) / reading.merged;
  step.strided = (1u << group.operand_count()) - 1;
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  WeightsS8 weights;
  if (read_weights_s8(group.node(0), &weights, nullptr) != MDL_OK) return;
  if (plan.merged > 1) {
    int8_t* const to = static_cast<int8_t*>(packed) + plan.kernel_bytes;
    weights = merge_weights(weights, plan.geometry, plan.merged, to);
  }
  plan.kernel->pack(plan.geometry, weights, plan.in_zero_point, packed);
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.kernel = plan.kernel;
  ConvGeometry& g = args.call.conv;
  g = plan.geometry;
  set_pictures(plan.is_pointwise, shapes[plan.input], shapes[plan.output], &g);
  rows.rows[0] = static_cast<int64_t>(plan.kernel->units(g));
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  ConvS8& call = static_cast<Args*>(memory)->call;
  call.in = static_cast<const int8_t*>(operands[plan.input].data);
  call.in_stride = static_cast<size_t>(operands[plan.input].pitch);
  call.in_zero_point = plan.in_zero_point;
  call.weights = packed;
  call.out = output_s8(plan.rule, operands[plan.output]);
}

}  // namespace

extern const Lowering lowering_qconv = {
    .supports = supports_by<Reading, read>,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
