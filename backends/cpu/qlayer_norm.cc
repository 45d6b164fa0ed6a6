// SPDX-License-Identifier: Apache-2.0
// QLayerNormalization: layer_norm_s8 on ranges of rows.
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/layer_norm_s8/layer_norm_s8.h"
#include "src/ops/norm.h"

namespace medulla::cpu {

extern const Lowering lowering_qlayer_norm;

namespace {

struct Plan {
  StepHead head;
  const LayerNormS8Kernel* kernel;
  LayerNormS8 numbers;  // but for n
  uint32_t axis;
};

struct Args {
  LayerNormS8 call;
  const LayerNormS8Kernel* kernel;
  const int8_t* x;
  int8_t* y;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const LayerNormS8Row** row,
                  mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "QLayerNormalization")) {
    return MDL_ERROR_UNSUPPORTED;
  }
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  for (size_t i = 1; i < node.input_count(); ++i) {
    if (node.input(i) != nullptr && node.input(i)->data == nullptr) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "scale or bias are not constant");
    }
  }
  return choose_row(cpu, "layer_norm_s8", layer_norm_s8_rows(), kernel_request(cpu), row, error);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  const LayerNormS8Row* row = nullptr;
  return choose(cpu, group, &row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t first = static_cast<size_t>(begin) * args.call.n;
  args.kernel->run(args.call, args.x + first, args.y + first, static_cast<size_t>(end - begin));
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const LayerNormS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qlayer_norm, step);
  if (plan == nullptr) return fail_memory(error, node);
  const mdl_tensor& x = *node.input(0);
  const mdl_tensor* bias = node.input(2);
  const int64_t axis = node.int_or("axis", -1);
  const double s = static_cast<double>(x.quantization.scales[0]);
  const OutputRule rule = read_output_rule(node);
  plan->axis = static_cast<uint32_t>(axis < 0 ? axis + x.rank : axis);
  plan->kernel = row->kernel;
  plan->numbers = {
      .n = 0,
      .zero_point_x = zero_point_of(x),
      .epsilon =
          static_cast<double>(static_cast<float>(node.float_or("epsilon", kNormEpsilon))) / (s * s),
      .scale = static_cast<const float*>(node.input(1)->data),
      .bias = bias != nullptr ? static_cast<const float*>(bias->data) : nullptr,
      .zero_point = rule.zero_point,
      .min = rule.min,
      .max = rule.max};
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.in_place[0] = 1;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.kernel = plan.kernel;
  args.call = plan.numbers;
  args.call.n = static_cast<size_t>(extent(shapes[0], plan.axis, shapes[0].rank));
  rows.rows[0] = extent(shapes[0], 0, plan.axis);
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.x = static_cast<const int8_t*>(operands[0].data);
  args.y = static_cast<int8_t*>(operands[1].data);
}

}  // namespace

extern const Lowering lowering_qlayer_norm = {
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
