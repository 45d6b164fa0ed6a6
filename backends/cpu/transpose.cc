// SPDX-License-Identifier: Apache-2.0
// Transpose. Dimensions that stay together are one; then either runs of the input stay together,
// which are copied, or the kernel transposes the matrices that the input's and the output's last
// dimension make.
#include <algorithm>
#include <bit>
#include <cstring>

#include "backends/cpu/chain.h"
#include "kernels/transpose/transpose.h"

namespace medulla::cpu {

extern const Lowering lowering_transpose;

namespace {

constexpr size_t kBlock = 32768;  // bytes of a row of the step

struct Plan {
  StepHead head;
  const TransposeKernel* kernel;
  size_t element_bytes;
  uint32_t source[MDL_MAX_RANK];  // the input's dimension that is the output's
};

// Of a dimension of the output: its extent, and the distances of its neighbors in x and y.
struct Dim {
  size_t extent, x, y;
};

struct Args {
  Dim outer[MDL_MAX_RANK];
  size_t outer_count;
  Transpose matrix;               // columns: all of them; strides in elements
  void (*run)(const Transpose&);  // null: matrix.rows elements of a column of x lie together
  size_t element_bytes;
  size_t columns;  // of one row of the step
  size_t parts;    // rows of the step that make one matrix
};

mdl_status choose(const Cpu& cpu, const GroupView& group, const TransposeRow** row,
                  mdl_error* error) {
  if (group.node_count() != 1 || !is_op(group.node(0).node(), "Transpose")) {
    return MDL_ERROR_UNSUPPORTED;
  }
  const uint32_t bits = mdl_dtype_bits(group.output().dtype);
  if (bits < 8 || bits > 64)
    return fail(error, MDL_ERROR_UNSUPPORTED, "elements of ", bits, " bits");
  return choose_row(cpu, "transpose", transpose_rows(), kernel_request(cpu), row, error);
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t bytes = args.element_bytes;
  for (auto row = static_cast<size_t>(begin); row < static_cast<size_t>(end); ++row) {
    const size_t first = row % args.parts * args.columns;
    size_t index = row / args.parts;
    size_t x = first * (args.run != nullptr ? 1 : args.matrix.x_stride);
    size_t y = first * args.matrix.y_stride;
    for (size_t d = args.outer_count; d-- > 0; index /= args.outer[d].extent) {
      x += index % args.outer[d].extent * args.outer[d].x;
      y += index % args.outer[d].extent * args.outer[d].y;
    }
    Transpose part = args.matrix;
    part.columns = std::min(args.columns, args.matrix.columns - first);
    const std::byte* from = static_cast<const std::byte*>(args.matrix.x) + x * bytes;
    std::byte* to = static_cast<std::byte*>(args.matrix.y) + y * bytes;
    if (args.run != nullptr) {
      part.x = from;
      part.y = to;
      args.run(part);
      continue;
    }
    for (size_t j = 0; j < part.columns; ++j) {
      std::memcpy(to, from, part.rows * bytes);
      from += part.x_stride * bytes;
      to += part.y_stride * bytes;
    }
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const TransposeRow* row = nullptr;
  MDL_TRY(choose(cpu, group, &row, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_transpose, step);
  if (plan == nullptr) return fail_memory(error, node);
  plan->kernel = row->kernel;
  plan->element_bytes = mdl_dtype_bits(group.output().dtype) / 8;
  const std::span<const int64_t> perm = node.ints("perm");
  const uint32_t rank = group.output().rank;
  for (uint32_t d = 0; d < rank; ++d) {
    plan->source[d] = perm.empty() ? rank - 1 - d : static_cast<uint32_t>(perm[d]);
  }
  step.kernel = row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  return MDL_OK;
}

// The output's dimensions, as few as there can be, at least one.
size_t merged_dims(const Plan& plan, const mdl_shape& x, Dim (&dims)[MDL_MAX_RANK]) {
  size_t strides[MDL_MAX_RANK];
  size_t stride = 1;
  for (uint32_t d = x.rank; d-- > 0; stride *= static_cast<size_t>(x.dims[d])) strides[d] = stride;
  size_t count = 0;
  for (uint32_t d = 0; d < x.rank; ++d) {
    const uint32_t source = plan.source[d];
    const auto extent = static_cast<size_t>(x.dims[source]);
    if (extent == 1) continue;
    if (count > 0 && dims[count - 1].x == strides[source] * extent) {
      dims[count - 1] = {dims[count - 1].extent * extent, strides[source], 0};
    } else {
      dims[count++] = {extent, strides[source], 0};
    }
  }
  if (count == 0) dims[count++] = {1, 1, 0};
  stride = 1;
  for (size_t d = count; d-- > 0; stride *= dims[d].extent) dims[d].y = stride;
  return count;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  Dim dims[MDL_MAX_RANK];
  size_t count = merged_dims(plan, shapes[0], dims);
  args.element_bytes = plan.element_bytes;
  // A short run that stays together is an element.
  const size_t run_bytes = args.element_bytes * dims[count - 1].extent;
  if (count > 1 && dims[count - 1].x == 1 && run_bytes <= 8 && (run_bytes & (run_bytes - 1)) == 0) {
    --count;
    for (size_t d = 0; d < count; ++d) {
      dims[d].x /= dims[count].extent;
      dims[d].y /= dims[count].extent;
    }
    args.element_bytes = run_bytes;
  }
  const Dim last = dims[--count];
  const bool copies = last.x == 1;
  // The matrix's other dimension: the one that lies together in x, or any.
  size_t other = count;
  for (size_t d = 0; d < count; ++d) {
    if (copies || dims[d].x == 1) other = d;
  }
  const Dim columns = other < count ? dims[other] : Dim{1, last.extent, last.extent};
  args.outer_count = 0;
  size_t matrices = 1;
  for (size_t d = 0; d < count; ++d) {
    if (d == other) continue;
    args.outer[args.outer_count++] = dims[d];
    matrices *= dims[d].extent;
  }
  args.run = copies ? nullptr
                    : plan.kernel->run[static_cast<size_t>(std::countr_zero(args.element_bytes))];
  args.matrix.rows = last.extent;
  args.matrix.columns = columns.extent;
  args.matrix.x_stride = copies ? columns.x : last.x;
  args.matrix.y_stride = columns.y;
  // A multiple of every tile's side.
  args.columns = std::max<size_t>(kBlock / (last.extent * args.element_bytes) / 16 * 16, 16);
  args.parts = (args.matrix.columns + args.columns - 1) / args.columns;
  rows.rows[0] = static_cast<int64_t>(matrices * args.parts);
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.matrix.x = operands[0].data;
  args.matrix.y = operands[1].data;
}

}  // namespace

extern const Lowering lowering_transpose = {
    .supports = supports_by<const TransposeRow*, choose>,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
