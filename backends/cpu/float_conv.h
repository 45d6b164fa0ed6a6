// SPDX-License-Identifier: Apache-2.0
// The lowering of Conv in float32 to a kernel family that convolves. A Family has
//
//   Row, Problem, Kernel, Call                     the family's types; Call is what run is given
//   kName                                          as in mdl_program_options.kernels
//   rows()
//   refusal(conv)                                  why the node is not for this family, or null
//   packed_bytes(kernel, geometry)
//   pack(kernel, geometry, weights, bias, packed)
//   unit(kernel, geometry)                         output pixels that make one row of the step
#ifndef MEDULLA_BACKENDS_CPU_FLOAT_CONV_H_
#define MEDULLA_BACKENDS_CPU_FLOAT_CONV_H_

#include <algorithm>

#include "backends/cpu/activation.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/convolution.h"

namespace medulla::cpu {

inline constexpr const char* kConvMains[] = {"Conv"};
inline constexpr ChainRule kConvRule = {.mains = kConvMains, .pad = true};

template <class Family>
class FloatConv {
 public:
  static mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
    Reading reading;
    return read(cpu, group, &reading, error);
  }

  // `lowering` is the one that these functions stand in.
  static mdl_status plan(const Lowering& lowering, const Cpu& cpu, const GroupView& group,
                         const mdl_host& host, mdl_step& step, mdl_error* error) {
    Reading reading;
    MDL_TRY(read(cpu, group, &reading, error));
    Plan* plan = make_step_data<Plan>(host, lowering, step);
    if (plan == nullptr) return fail_memory(error, group.node(0));
    const Kernel& kernel = *reading.row->kernel;
    plan->kernel = &kernel;
    plan->geometry = reading.problem.conv;
    plan->activation = reading.activation;
    plan->input = group.operand(reading.input);
    plan->residual = group.operand(reading.chain.residual);
    plan->output = group.operand(&group.output());
    step.kernel = reading.row->name;
    step.run = run;
    step.args_bytes = sizeof(Args);
    step.scratch_bytes = kernel.scratch_bytes(plan->geometry);
    step.packed_bytes = Family::packed_bytes(kernel, plan->geometry);
    step.macs = convolution_macs(plan->geometry);
    step.strided = (1u << group.operand_count()) - 1;
    if (plan->residual >= 0 && plan->residual != plan->input) {
      step.in_place[0] = 1u << plan->residual;
    }
    return MDL_OK;
  }

  static void pack(const GroupView& group, const mdl_step& step, void* packed) {
    const Plan& plan = *static_cast<const Plan*>(step.data);
    Chain chain;
    if (!read_chain(kConvRule, group.graph(), group, &chain)) return;
    const NodeView node(group.graph(), *chain.main);
    Family::pack(*plan.kernel, plan.geometry, floats_of(node.input(1)), floats_of(node.input(2)),
                 packed);
  }

  static mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory,
                           mdl_rows& rows, mdl_error*) {
    const Plan& plan = *static_cast<const Plan*>(step.data);
    Args& args = *static_cast<Args*>(memory);
    args.kernel = plan.kernel;
    args.activation = &plan.activation;
    args.call.conv = plan.geometry;
    set_pictures(shapes[plan.input], shapes[plan.output], &args.call.conv);
    args.unit = Family::unit(*plan.kernel, args.call.conv);
    args.pixels = args.call.conv.batch * args.call.conv.out_h * args.call.conv.out_w;
    rows.rows[0] = units_of(args.pixels, args.unit);
    return MDL_OK;
  }

  static void bind(const mdl_step& step, const mdl_operand* operands, const void* packed,
                   void* memory) {
    const Plan& plan = *static_cast<const Plan*>(step.data);
    typename Family::Call& call = static_cast<Args*>(memory)->call;
    call.in = static_cast<const float*>(operands[plan.input].data);
    call.in_stride = static_cast<size_t>(operands[plan.input].pitch);
    call.weights = packed;
    call.out = static_cast<float*>(operands[plan.output].data);
    call.out_stride = static_cast<size_t>(operands[plan.output].pitch);
    call.lo = plan.activation.lo;
    call.hi = plan.activation.hi;
    if (plan.residual >= 0) {
      call.residual = static_cast<const float*>(operands[plan.residual].data);
      call.residual_stride = static_cast<size_t>(operands[plan.residual].pitch);
    }
  }

 private:
  using Kernel = typename Family::Kernel;

  struct Plan {
    StepHead head;
    const Kernel* kernel;
    ConvGeometry geometry;  // at the maximum shapes
    Activation activation;
    int input;
    int residual;  // -1: none
    int output;
  };

  struct Args {
    typename Family::Call call;
    const Kernel* kernel;
    const Activation* activation;
    size_t unit;
    size_t pixels;
  };

  struct Reading {
    Chain chain;
    Activation activation;
    typename Family::Problem problem;
    const mdl_tensor* input;
    const typename Family::Row* row;
  };

  static mdl_status read(const Cpu& cpu, const GroupView& group, Reading* reading,
                         mdl_error* error) {
    const mdl_graph& graph = group.graph();
    Chain& chain = reading->chain;
    if (!read_chain(kConvRule, graph, group, &chain)) return MDL_ERROR_UNSUPPORTED;
    const NodeView conv(graph, *chain.main);
    MDL_TRY(read_activation(cpu, graph, chain.activation, &reading->activation, error));
    if (const char* refusal = Family::refusal(conv)) {
      return fail(error, MDL_ERROR_UNSUPPORTED, refusal);
    }
    reading->input = NodeView(graph, chain.pad != nullptr ? *chain.pad : *chain.main).input(0);
    if (reading->input->dtype != MDL_FLOAT32) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "not float32");
    }
    if (conv.input(2) != nullptr && conv.input(2)->data == nullptr) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "bias is not constant");
    }
    typename Family::Problem& problem = reading->problem;
    static_cast<KernelRequest&>(problem) = kernel_request(cpu);
    MDL_TRY(read_convolution(graph, *chain.main, chain.pad, &problem.conv, error));
    set_pictures(max_shape(*reading->input), max_shape(group.output()), &problem.conv);
    return choose_row(cpu, Family::kName, Family::rows(), problem, &reading->row, error);
  }

  // In blocks that stay in the cache where a function follows the kernel.
  static mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
    const Args& args = *static_cast<const Args*>(memory);
    const typename Family::Call& call = args.call;
    const size_t first = static_cast<size_t>(begin) * args.unit;
    const size_t last = std::min(static_cast<size_t>(end) * args.unit, args.pixels);
    if (args.activation->function == nullptr) {
      args.kernel->run(call, first, last, scratch);
      return MDL_OK;
    }
    const size_t channels = call.conv.out_channels;
    const size_t units = std::max<size_t>(1, rows_in_cache(channels) / args.unit);
    for (size_t p = first; p < last; p += units * args.unit) {
      const size_t stop = std::min(p + units * args.unit, last);
      args.kernel->run(call, p, stop, scratch);
      activate(*args.activation, call.out + p * call.out_stride, stop - p, channels,
               call.out_stride);
    }
    return MDL_OK;
  }
};

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_FLOAT_CONV_H_
