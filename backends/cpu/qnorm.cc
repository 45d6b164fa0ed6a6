// SPDX-License-Identifier: Apache-2.0
// QLayerNormalization by layer_norm_s8, QBatchNormalization by batch_norm_s8: ranges of rows.
#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/batch_norm_s8/batch_norm_s8.h"
#include "kernels/layer_norm_s8/layer_norm_s8.h"
#include "src/ops/norm.h"

namespace medulla::cpu {

extern const Lowering lowering_qnorm;

namespace {

struct Plan {
  StepHead head;
  const LayerNormS8Kernel* layer;  // null: batch is taken
  const BatchNormS8Kernel* batch;
  LayerNormS8 by_layer;  // but for n
  BatchNormS8 by_batch;
  uint32_t axis;
};

struct Args {
  const Plan* plan;
  size_t n;
  size_t rows;
  size_t unit;  // of them that make one row of the step
  const int8_t* x;
  int8_t* y;
};

struct Rows {
  const LayerNormS8Row* layer;
  const BatchNormS8Row* batch;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, Rows* rows, mdl_error* error) {
  constexpr const char* kOps[] = {"QBatchNormalization", "QLayerNormalization"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  for (size_t i = 1; i < node.input_count(); ++i) {
    if (node.input(i) != nullptr && node.input(i)->data == nullptr) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "scale or bias are not constant");
    }
  }
  *rows = {};
  if (is_op(node.node(), "QBatchNormalization")) {
    return choose_row(cpu, "batch_norm_s8", batch_norm_s8_rows(), kernel_request(cpu), &rows->batch,
                      error);
  }
  return choose_row(cpu, "layer_norm_s8", layer_norm_s8_rows(), kernel_request(cpu), &rows->layer,
                    error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  const size_t first = static_cast<size_t>(begin) * args.unit;
  const size_t count = std::min(static_cast<size_t>(end) * args.unit, args.rows) - first;
  const int8_t* x = args.x + first * args.n;
  int8_t* y = args.y + first * args.n;
  if (plan.layer != nullptr) {
    LayerNormS8 call = plan.by_layer;
    call.n = args.n;
    plan.layer->run(call, x, y, count);
  } else {
    BatchNormS8 call = plan.by_batch;
    call.n = args.n;
    plan.batch->run(call, x, y, count);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Rows rows;
  MDL_TRY(choose(cpu, group, &rows, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_qnorm, step);
  if (plan == nullptr) return fail_memory(error, node);
  const mdl_tensor& x = *node.input(0);
  const float* const scales = floats_of(node.input(1));
  const float* const biases = floats_of(node.input(2));
  const OutputRule rule = read_output_rule(node);
  plan->axis = axis_of(node, -1, x.rank);  // of QLayerNormalization
  if (rows.layer != nullptr) {
    const double s = static_cast<double>(x.quantization.scales[0]);
    const float epsilon = static_cast<float>(node.float_or("epsilon", kNormEpsilon));
    plan->layer = rows.layer->kernel;
    plan->by_layer = {.n = 0,
                      .zero_point_x = zero_point_of(x),
                      .epsilon = static_cast<double>(epsilon) / (s * s),
                      .scale = scales,
                      .bias = biases,
                      .zero_point = rule.zero_point,
                      .min = rule.min,
                      .max = rule.max};
  } else {
    plan->batch = rows.batch->kernel;
    plan->by_batch = {.n = 0,
                      .zero_point_x = zero_point_of(x),
                      .multiplier = scales,
                      .bias = biases,
                      .zero_point = rule.zero_point,
                      .min = rule.min,
                      .max = rule.max};
  }
  step.kernel = rows.layer != nullptr ? rows.layer->name : rows.batch->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.in_place[0] = 1;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  args.n = static_cast<size_t>(extent(shapes[0], plan.axis, shapes[0].rank));
  args.rows = static_cast<size_t>(extent(shapes[0], 0, plan.axis));
  rows.rows[0] = cut_in_cache(args.rows, args.n, &args.unit);
  return MDL_OK;
}

}  // namespace

extern const Lowering lowering_qnorm = {
    .supports = supports_by<Rows, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind_x_y<Args>,
};

}  // namespace medulla::cpu
