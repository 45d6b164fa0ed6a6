// SPDX-License-Identifier: Apache-2.0
// ConvTranspose in float32: gemm_f32, line by line of the output. The pixels of a line whose index
// leaves one remainder by the stride, its phase, are reached by the same taps, and each tap takes
// neighbours of the input to them: a product of matrices, which goes on with the chains of the taps
// before it.
#include <algorithm>
#include <limits>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla::cpu {

extern const Lowering lowering_conv_transpose;

namespace {

constexpr const char* kMains[] = {"ConvTranspose"};
constexpr ChainRule kRule = {.mains = kMains, .residual = false};

struct Plan {
  StepHead head;
  const GemmF32Kernel* kernel;
  Activation activation;
  Convolution conv;  // at the maximum shapes
  const float* weights;
  const float* bias;  // null: none
  size_t matrix;      // bytes of a packed one: each tap has one for each group
};

struct Args {
  const Plan* plan;
  Window window;
  const float* x;
  size_t x_pitch;
  const unsigned char* packed;
  float* y;
  size_t y_pitch;
};

struct Reading {
  Chain chain;
  Activation activation;
  Convolution conv;
  const GemmF32Row* row;
};

mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading, mdl_error* error) {
  if (!read_chain(kRule, group.graph(), group, &reading->chain)) return MDL_ERROR_UNSUPPORTED;
  const NodeView node(group.graph(), *reading->chain.main);
  const mdl_tensor* bias = node.input(2);
  if (node.input(0)->data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  if (node.input(1)->data == nullptr || (bias != nullptr && bias->data == nullptr)) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "weights or bias are not constant");
  }
  MDL_TRY(read_transposed_convolution(node, max_shape(*node.input(0)), max_shape(*node.input(1)),
                                      &reading->conv, error));
  MDL_TRY(
      read_activation(cpu, group.graph(), reading->chain.activation, &reading->activation, error));
  MDL_TRY(clamp_by_function(cpu, &reading->activation, error));
  GemmF32Problem problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  problem.m = static_cast<size_t>(reading->conv.window.axis[2].in);
  problem.n = static_cast<size_t>(reading->conv.group_out);
  problem.k = static_cast<size_t>(reading->conv.group_in);
  return choose_row(cpu, "gemm_f32", gemm_f32_rows(), problem, &reading->row, error);
}

// The input's index that a tap spreads to output `o`; -1: none.
int64_t source_of(const WindowAxis& axis, int64_t o, int64_t tap) {
  const int64_t reach = o + axis.begin - tap * axis.dilation;
  const bool reached = reach >= 0 && reach % axis.stride == 0 && reach / axis.stride < axis.in;
  return reached ? reach / axis.stride : -1;
}

void fill_bias(const Plan& plan, float* y, size_t pitch, int64_t pixels) {
  const size_t channels = static_cast<size_t>(plan.conv.out_channels());
  for (int64_t p = 0; p < pixels; ++p, y += pitch) {
    for (size_t c = 0; c < channels; ++c) y[c] = plan.bias != nullptr ? plan.bias[c] + 0.0f : 0.0f;
  }
}

// Pixels of one phase of a line, `pitch` floats apart, and whether their chains have begun.
struct Phase {
  const Args& args;
  float* y;
  size_t pitch;
  int64_t count;
  bool begun = false;

  // Adds tap `tap`, for pixel i that of the input's pixel `from` + i at `x`, where there is one.
  void add(const float* x, int64_t from, int64_t tap) {
    const Plan& plan = *args.plan;
    const Convolution& conv = plan.conv;
    const int64_t first = std::max<int64_t>(0, -from);
    const int64_t last = std::min(count, args.window.axis[2].in - from);
    if (first >= last) return;
    if (!begun && last - first < count) {
      fill_bias(plan, y, pitch, count);
      begun = true;
    }
    const size_t m = static_cast<size_t>(last - first);
    const size_t groups = static_cast<size_t>(conv.group);
    GemmF32 call = {.n = static_cast<size_t>(conv.group_out),
                    .k = static_cast<size_t>(conv.group_in),
                    .a = x + static_cast<size_t>(from + first) * args.x_pitch,
                    .lda = args.x_pitch,
                    .c = y + static_cast<size_t>(first) * pitch,
                    .ldc = pitch,
                    .lo = -std::numeric_limits<float>::infinity(),
                    .hi = std::numeric_limits<float>::infinity(),
                    .go_on = begun};
    for (size_t g = 0; g < groups; ++g, call.a += call.k, call.c += call.n) {
      call.b = args.packed + (static_cast<size_t>(tap) * groups + g) * plan.matrix;
      plan.kernel->run(call, 0, m, 0, call.n);
    }
    begun = true;
  }
};

// Line `line` of the output, counted through planes and images.
void run_line(const Args& args, int64_t line) {
  const Plan& plan = *args.plan;
  const auto& [plane, row, column] = args.window.axis;
  const int64_t i = line / row.out % plane.out;
  const int64_t j = line % row.out;
  const float* const image =
      args.x +
      static_cast<size_t>(line / row.out / plane.out * args.window.inputs()) * args.x_pitch;
  float* const y = args.y + static_cast<size_t>(line * column.out) * args.y_pitch;
  for (int64_t p = 0; p < std::min(column.stride, column.out); ++p) {
    Phase phase = {args, y + static_cast<size_t>(p) * args.y_pitch,
                   static_cast<size_t>(column.stride) * args.y_pitch,
                   (column.out - p + column.stride - 1) / column.stride};
    for (int64_t tap = 0; tap < plane.kernel * row.kernel; ++tap) {
      const int64_t in_plane = source_of(plane, i, tap / row.kernel);
      const int64_t in_row = source_of(row, j, tap % row.kernel);
      if (in_plane < 0 || in_row < 0) continue;
      const float* const x =
          image + static_cast<size_t>((in_plane * row.in + in_row) * column.in) * args.x_pitch;
      for (int64_t k = 0; k < column.kernel; ++k) {
        const int64_t reach = p + column.begin - k * column.dilation;
        if (reach % column.stride != 0) continue;
        phase.add(x, reach / column.stride, tap * column.kernel + k);
      }
    }
    if (!phase.begun) fill_bias(plan, phase.y, phase.pitch, phase.count);
  }
  if (plan.activation.function != nullptr) {
    activate(plan.activation, y, static_cast<size_t>(column.out),
             static_cast<size_t>(plan.conv.out_channels()), args.y_pitch);
  }
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  for (int64_t line = begin; line < end; ++line) {
    run_line(*static_cast<const Args*>(memory), line);
  }
  return MDL_OK;
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Reading reading;
  MDL_TRY(read(cpu, group, &reading, error));
  const NodeView node(group.graph(), *reading.chain.main);
  Plan* plan = make_step_data<Plan>(host, lowering_conv_transpose, step);
  if (plan == nullptr) return fail_memory(error, node);
  const Convolution& conv = reading.conv;
  const size_t matrices = static_cast<size_t>(conv.window.taps() * conv.group);
  plan->kernel = reading.row->kernel;
  plan->conv = conv;
  plan->weights = floats_of(node.input(1));
  plan->bias = floats_of(node.input(2));
  plan->matrix = gemm_f32_packed_bytes(plan->kernel->nr, static_cast<size_t>(conv.group_out),
                                       static_cast<size_t>(conv.group_in));
  plan->matrix = (plan->matrix + kPackAlign - 1) / kPackAlign * kPackAlign;
  plan->activation = reading.activation;
  step.kernel = reading.row->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.packed_bytes = matrices * plan->matrix;
  step.macs = uint64_t{rows_of(max_shape(*node.input(0)))} * (node.input(1)->bytes / sizeof(float));
  step.strided = 3;
  return MDL_OK;
}

void pack(const GroupView&, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  const Convolution& conv = plan.conv;
  const size_t taps = static_cast<size_t>(conv.window.taps());
  const size_t groups = static_cast<size_t>(conv.group);
  const size_t n = static_cast<size_t>(conv.group_out);
  const size_t k = static_cast<size_t>(conv.group_in);
  auto* to = static_cast<unsigned char*>(packed);
  for (size_t tap = 0; tap < taps; ++tap) {
    for (size_t g = 0; g < groups; ++g, to += plan.matrix) {
      gemm_f32_pack(plan.kernel->nr, n, k, plan.weights + (g * n * taps + tap) * k, 1, taps * k,
                    plan.bias != nullptr ? plan.bias + g * n : nullptr, to);
    }
  }
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  args.plan = static_cast<const Plan*>(step.data);
  args.window = args.plan->conv.window;
  const uint32_t spatial = shapes[0].rank - 2;
  for (uint32_t d = 0; d < spatial; ++d) {
    WindowAxis& axis = args.window.axis[3 - spatial + d];
    axis.in = shapes[0].dims[1 + d];
    axis.out = shapes[1].dims[1 + d];
  }
  rows.rows[0] = shapes[1].dims[0] * args.window.axis[0].out * args.window.axis[1].out;
  return MDL_OK;
}

void bind(const mdl_step&, const mdl_operand* operands, const void* packed, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.x = static_cast<const float*>(operands[0].data);
  args.x_pitch = static_cast<size_t>(operands[0].pitch);
  args.packed = static_cast<const unsigned char*>(packed);
  args.y = static_cast<float*>(operands[1].data);
  args.y_pitch = static_cast<size_t>(operands[1].pitch);
}

}  // namespace

extern const Lowering lowering_conv_transpose = {
    .fuse = fuse_by<kRule>,
    .supports = supports_by<Reading, read>,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
