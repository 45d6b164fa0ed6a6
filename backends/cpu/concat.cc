// SPDX-License-Identifier: Apache-2.0
// Concat copies rows; QConcat does so too where scales agree, else requant_s8 writes them.
#include <algorithm>
#include <cstring>

#include "backends/cpu/broadcast.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "kernels/requant_s8/requant_s8.h"
#include "src/ops/rules.h"

namespace medulla::cpu {

extern const Lowering lowering_concat;

namespace {

constexpr size_t kMaxInputs = 16;
constexpr size_t kBlock = 8192;

struct Part {
  Source source;
  bool copied;
  QuantizedS8 from;
  float k;
};

struct Plan {
  StepHead head;
  const RequantS8Kernel* kernel;  // null: all parts are copied
  QuantizedS8 to;
  size_t element_bytes;
  uint32_t axis;
  int output;
  size_t count;
  Part parts[kMaxInputs];
};

struct Args {
  const Plan* plan;
  const int8_t* x[kMaxInputs];
  size_t bytes[kMaxInputs];  // of a part's rows
  int8_t* y;
  size_t pitch;  // of the output's rows, in bytes
  size_t rows;
  size_t unit;  // that make one row of the step, at most kBlock bytes if more than 1
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const RequantS8Row** row,
                  mdl_error* error) {
  constexpr const char* kOps[] = {"Concat", "QConcat"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  if (node.input_count() > kMaxInputs) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "more than ", kMaxInputs, " inputs");
  }
  if (mdl_dtype_bits(group.output().dtype) < 8) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "elements below a byte");
  }
  if (is_op(node.node(), "QConcat")) MDL_TRY(check_s8(node, error));
  return choose_row(cpu, "requant_s8", requant_s8_rows(), kernel_request(cpu), row, error);
}

// Rows of a part, dense in x, `pitch` apart in y.
void copy_rows(const int8_t* x, size_t bytes, size_t rows, int8_t* y, size_t pitch) {
  for (size_t r = 0; r < rows; ++r, x += bytes, y += pitch) std::memcpy(y, x, bytes);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  for (auto unit = static_cast<size_t>(begin); unit < static_cast<size_t>(end); ++unit) {
    const size_t first = unit * args.unit;
    const size_t rows = std::min(args.unit, args.rows - first);
    int8_t* y = args.y + first * args.pitch;
    for (size_t i = 0; i < plan.count; y += args.bytes[i], ++i) {
      const Part& part = plan.parts[i];
      const size_t bytes = args.bytes[i];
      const int8_t* x = args.x[i] + first * bytes;
      if (bytes == 0) continue;
      if (part.copied) {
        copy_rows(x, bytes, rows, y, args.pitch);
      } else if (rows == 1) {
        plan.kernel->requantize(part.from, plan.to, part.k, x, y, bytes);
      } else {
        // At once: rows are often shorter than a vector.
        auto* const block = static_cast<int8_t*>(scratch);
        plan.kernel->requantize(part.from, plan.to, part.k, x, block, rows * bytes);
        copy_rows(block, bytes, rows, y, args.pitch);
      }
    }
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const RequantS8Row* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_concat, step);
  if (plan == nullptr) return fail_memory(error, node);
  const mdl_tensor& y = *node.output(0);
  const bool quantized = is_op(node.node(), "QConcat");
  plan->axis = axis_of(node, 0, y.rank);
  plan->element_bytes = mdl_dtype_bits(y.dtype) / 8;
  plan->output = group.operand(&y);
  plan->count = node.input_count();
  plan->kernel = nullptr;
  plan->to = {.zero_point = zero_point_of(y)};
  for (size_t i = 0; i < plan->count; ++i) {
    const mdl_tensor& x = *node.input(i);
    Part& part = plan->parts[i];
    part.source = read_source(group, &x);
    part.copied = !quantized || (x.quantization.scales[0] == y.quantization.scales[0] &&
                                 zero_point_of(x) == zero_point_of(y));
    if (part.copied) continue;
    plan->kernel = row->kernel;
    part.from = {.zero_point = zero_point_of(x)};
    part.k = static_cast<float>(node.floats("multipliers")[i]);
  }
  step.kernel = plan->kernel != nullptr ? row->name : "copy";
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = plan->kernel != nullptr ? kBlock : 0;
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  args.pitch = 0;
  for (size_t i = 0; i < plan.count; ++i) {
    const mdl_shape& x = shape_of(plan.parts[i].source, shapes);
    args.bytes[i] = plan.element_bytes;
    for (uint32_t d = plan.axis; d < x.rank; ++d) args.bytes[i] *= static_cast<size_t>(x.dims[d]);
    args.pitch += args.bytes[i];
  }
  const mdl_shape& any = shape_of(plan.parts[0].source, shapes);
  args.rows = 1;
  for (uint32_t d = 0; d < plan.axis; ++d) args.rows *= static_cast<size_t>(any.dims[d]);
  args.unit = std::max<size_t>(kBlock / std::max<size_t>(args.pitch, 1), 1);
  rows.rows[0] = units_of(args.rows, args.unit);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  for (size_t i = 0; i < plan.count; ++i) {
    const Source& source = plan.parts[i].source;
    args.x[i] = static_cast<const int8_t*>(source.operand >= 0 ? operands[source.operand].data
                                                               : source.constant);
  }
  args.y = static_cast<int8_t*>(operands[plan.output].data);
}

}  // namespace

extern const Lowering lowering_concat = {
    .supports = supports_by<const RequantS8Row*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
