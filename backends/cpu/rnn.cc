// SPDX-License-Identifier: Apache-2.0
// LSTM and GRU in float32. For each direction and sequence gemm_f32 makes the sums over the input
// of some steps at a time, rnn_f32 goes through these steps.
#include <algorithm>
#include <limits>

#include "backends/cpu/broadcast.h"
#include "backends/cpu/chain.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/rnn_f32/rnn_f32.h"
#include "src/ops/recurrent.h"

namespace medulla::cpu {

extern const Lowering lowering_rnn;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
// Steps whose sums over the input are made at once: weights are then read once for four tiles of
// gemm_f32, and the sums stay in the cache.
constexpr int64_t kBlock = 24;
constexpr size_t kStates = 2;

struct Kernels {
  const RnnF32Row* rnn;
  const GemmF32Row* gemm;
};

struct Plan {
  StepHead head;
  Kernels kernels;
  RnnCell cell;
  Recurrent shape;  // at most
  float bound;
  size_t packed_r;  // bytes to it from a direction's packed W
  size_t packed;    // bytes of a direction
  int x;            // operand
  Source lens;      // where the node has them; else without place and constant
  Source initial[kStates];
  int y[1 + kStates];  // operands, -1: left out
};

struct Args {
  const Plan* plan;
  Recurrent shape;
  const std::byte* packed;
  const float* x;
  const int32_t* lens;
  const float* initial[kStates];
  float* y;
  float* last[kStates];
};

RnnCell cell_of(const NodeView& node) {
  if (is_op(node.node(), "LSTM")) return RnnCell::lstm;
  return node.int_or("linear_before_reset", 0) != 0 ? RnnCell::gru_linear : RnnCell::gru;
}

Recurrent shape_of(const NodeView& node) {
  TensorType inputs[kR + 1];
  for (size_t i = 0; i <= kR; ++i) inputs[i] = {node.input(i)->dtype, max_shape(*node.input(i))};
  return {node, inputs};
}

// Sigmoid for the gates, Tanh for the others.
bool has_usual_activations(const NodeView& node, size_t count) {
  const mdl_attribute* names = node.attribute("activations");
  for (size_t i = 0; names != nullptr && i < names->count; ++i) {
    const std::string_view name = names->strings[i];
    if (name != (i % count == 0 ? "Sigmoid" : "Tanh")) return false;
  }
  return true;
}

mdl_status choose(const Cpu& cpu, const GroupView& group, Kernels* kernels, mdl_error* error) {
  constexpr const char* kOps[] = {"GRU", "LSTM"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  const auto refuse = [&](const char* reason) {
    return fail(error, MDL_ERROR_UNSUPPORTED, reason);
  };
  for (size_t i : {kW, kR, kB}) {
    const mdl_tensor* weights = node.input(i);
    if (weights != nullptr && weights->data == nullptr) return refuse("weights are not constant");
  }
  if (node.input(kX)->data != nullptr) return refuse("its input is constant");
  const bool lstm = cell_of(node) == RnnCell::lstm;
  if (!has_usual_activations(node, lstm ? 3 : 2)) return refuse("activations of its own");
  if (lstm && node.input(kP) != nullptr) return refuse("peepholes");
  if (node.int_or("input_forget", 0) != 0) return refuse("input_forget");
  if (node.attribute("cell_clip") != nullptr) return refuse("cell_clip");
  const Recurrent shape = shape_of(node);
  RnnF32Problem rnn;
  static_cast<KernelRequest&>(rnn) = kernel_request(cpu);
  rnn.n = static_cast<size_t>(shape.hidden);
  MDL_TRY(choose_row(cpu, "rnn_f32", rnn_f32_rows(), rnn, &kernels->rnn, error));
  GemmF32Problem gemm;
  static_cast<KernelRequest&>(gemm) = kernel_request(cpu);
  gemm.m = static_cast<size_t>(std::min(shape.time, kBlock));
  gemm.n = rnn_gates(cell_of(node)) * rnn.n;
  gemm.k = static_cast<size_t>(shape.input);
  return choose_row(cpu, "gemm_f32", gemm_f32_rows(), gemm, &kernels->gemm, error);
}

// One sequence in one direction.
class Sequence {
 public:
  Sequence(const Args& args, int64_t d, int64_t b, float* scratch)
      : args_(args), shape_(args.shape), d_(d), b_(b), n_(static_cast<size_t>(shape_.hidden)) {
    const Plan& plan = *args.plan;
    const std::byte* packed = args.packed + static_cast<size_t>(d) * plan.packed;
    cell_ = scratch;
    states_[0] = cell_ + n_;
    states_[1] = states_[0] + n_;
    float* const work = states_[1] + n_;
    sums_ = work + n_;
    const size_t gates = rnn_gates(plan.cell) * n_;
    step_ = {.n = n_, .r = packed + plan.packed_r, .c = cell_, .work = work, .bound = plan.bound};
    product_ = {.n = gates,
                .k = static_cast<size_t>(shape_.input),
                .lda = static_cast<size_t>(shape_.x(1, b) - shape_.x(0, b)),
                .b = packed,
                .c = sums_,
                .ldc = gates,
                .lo = -kInf,
                .hi = kInf};
  }

  static size_t scratch_bytes(const Recurrent& shape, RnnCell cell) {
    const size_t block = static_cast<size_t>(std::min(shape.time, kBlock));
    return static_cast<size_t>(shape.hidden) * (4 + rnn_gates(cell) * block) * sizeof(float);
  }

  void run(int64_t length) {
    const bool back = shape_.reverse || d_ == 1;
    begin(0, states_[0]);
    begin(1, cell_);
    step_.h = states_[0];
    for (int64_t done = 0; done < length; done += kBlock) {
      const int64_t count = std::min(kBlock, length - done);
      const int64_t first = back ? length - done - count : done;
      product_.a = args_.x + shape_.x(first, b_);
      const size_t rows = static_cast<size_t>(count);
      args_.plan->kernels.gemm->kernel->run(product_, 0, rows, 0, product_.n);
      for (int64_t i = 0; i < count; ++i) take(first, back ? count - 1 - i : i);
    }
    for (int64_t t = length; args_.y != nullptr && t < shape_.time; ++t) {
      std::fill_n(args_.y + shape_.y(t, d_, b_), n_, 0.0f);
    }
    end(0, step_.h);
    end(1, cell_);
  }

 private:
  void begin(size_t s, float* state) const {
    const float* initial = args_.initial[s];
    if (initial != nullptr) {
      std::copy_n(initial + shape_.state(d_, b_), n_, state);
    } else {
      std::fill_n(state, n_, 0.0f);
    }
  }
  void end(size_t s, const float* state) const {
    if (args_.last[s] != nullptr) std::copy_n(state, n_, args_.last[s] + shape_.state(d_, b_));
  }
  // Step first + i, whose sums stand in row i.
  void take(int64_t first, int64_t i) {
    step_.x = sums_ + static_cast<size_t>(i) * product_.n;
    step_.y = args_.y != nullptr ? args_.y + shape_.y(first + i, d_, b_)
                                 : states_[step_.h == states_[0] ? 1 : 0];
    args_.plan->kernels.rnn->kernel->step[static_cast<size_t>(args_.plan->cell)](step_);
    step_.h = step_.y;
    step_.down = !step_.down;
  }

  const Args& args_;
  const Recurrent& shape_;
  int64_t d_, b_;
  size_t n_;
  float* cell_;
  float* states_[2];
  float* sums_;
  RnnF32Step step_;
  GemmF32 product_;
};

// The sequence whose length is none; -1: there is none.
int64_t wrong_length(const Args& args) {
  for (int64_t b = 0; args.lens != nullptr && b < args.shape.batch; ++b) {
    if (args.lens[b] < 0 || args.lens[b] > args.shape.time) return b;
  }
  return -1;
}

// Rows are directions, in each the sequences.
mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  if (wrong_length(args) >= 0) return MDL_ERROR_INVALID_ARGUMENT;
  for (int64_t r = begin; r < end; ++r) {
    const int64_t b = r % args.shape.batch;
    Sequence sequence(args, r / args.shape.batch, b, static_cast<float*>(scratch));
    sequence.run(args.lens != nullptr ? args.lens[b] : args.shape.time);
  }
  return MDL_OK;
}

void explain(const mdl_step&, const void* memory, mdl_error* error) {
  const Args& args = *static_cast<const Args*>(memory);
  const int64_t b = wrong_length(args);
  if (b < 0) return;
  fail(error, MDL_ERROR_INVALID_ARGUMENT, "sequence_lens[", b, "] is ", args.lens[b],
       ", should be from 0 to ", args.shape.time);
}

size_t aligned(size_t bytes) { return (bytes + kPackAlign - 1) / kPackAlign * kPackAlign; }

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const NodeView node = group.node(0);
  Kernels kernels;
  MDL_TRY(choose(cpu, group, &kernels, error));
  Plan* plan = make_step_data<Plan>(host, lowering_rnn, step);
  if (plan == nullptr) return fail_memory(error, node);
  const auto source = [&](size_t i) {
    return node.input(i) != nullptr ? read_source(group, node.input(i)) : Source{-1, nullptr, {}};
  };
  const Recurrent shape = shape_of(node);
  const RnnCell cell = cell_of(node);
  const size_t n = static_cast<size_t>(shape.hidden);
  const size_t gates = rnn_gates(cell);
  const size_t w = aligned(
      gemm_f32_packed_bytes(kernels.gemm->kernel->nr, gates * n, static_cast<size_t>(shape.input)));
  const size_t r = aligned(rnn_f32_packed_bytes(cell, kernels.rnn->kernel->lanes, n));
  *plan = {.head = plan->head,
           .kernels = kernels,
           .cell = cell,
           .shape = shape,
           .bound = float_attribute(node, "clip", kInf),
           .packed_r = w,
           .packed = w + r,
           .x = group.operand(node.input(kX)),
           .lens = source(kSequenceLens),
           .initial = {source(kInitialH), source(kInitialC)},
           .y = {group.operand(node.output(0)), group.operand(node.output(1)),
                 group.operand(node.output(2))}};
  step.kernel = kernels.rnn->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = Sequence::scratch_bytes(shape, cell);
  step.packed_bytes = static_cast<size_t>(shape.directions) * plan->packed;
  step.macs = static_cast<uint64_t>(shape.time * shape.batch * shape.directions) * gates * n *
              (n + static_cast<uint64_t>(shape.input));
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step& step, void* packed) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  const NodeView node = group.node(0);
  const size_t n = static_cast<size_t>(plan.shape.hidden);
  const size_t k = static_cast<size_t>(plan.shape.input);
  const size_t rows = rnn_gates(plan.cell) * n;
  const bool linear = plan.cell == RnnCell::gru_linear;
  const float* const biases = floats_of(node.input(kB));
  for (size_t d = 0; d < static_cast<size_t>(plan.shape.directions); ++d) {
    std::byte* const to = static_cast<std::byte*>(packed) + d * plan.packed;
    const float* bias = biases != nullptr ? biases + d * 2 * rows : nullptr;
    // The biases' sums wait where R comes.
    float* const sums = reinterpret_cast<float*>(to + plan.packed_r);
    for (size_t i = 0; bias != nullptr && i < rows; ++i) {
      sums[i] = linear && i >= 2 * n ? bias[i] : bias[i] + bias[rows + i];
    }
    gemm_f32_pack(plan.kernels.gemm->kernel->nr, rows, k, floats_of(node.input(kW)) + d * rows * k,
                  1, k, bias != nullptr ? sums : nullptr, to);
    rnn_f32_pack(plan.cell, plan.kernels.rnn->kernel->lanes, n,
                 floats_of(node.input(kR)) + d * rows * n,
                 linear && bias != nullptr ? bias + rows + 2 * n : nullptr, to + plan.packed_r);
  }
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  args.shape = plan.shape;
  args.shape.time = shapes[plan.x].dims[plan.shape.batch_first ? 1 : 0];
  args.shape.batch = shapes[plan.x].dims[plan.shape.batch_first ? 0 : 1];
  rows.rows[0] = args.shape.directions * args.shape.batch;
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  const auto output = [&](int operand) {
    return operand >= 0 ? static_cast<float*>(operands[operand].data) : nullptr;
  };
  args.packed = static_cast<const std::byte*>(packed);
  args.x = static_cast<const float*>(operands[plan.x].data);
  args.lens = static_cast<const int32_t*>(data_of(plan.lens, operands));
  args.y = output(plan.y[0]);
  for (size_t s = 0; s < kStates; ++s) {
    args.initial[s] = static_cast<const float*>(data_of(plan.initial[s], operands));
    args.last[s] = output(plan.y[1 + s]);
  }
}

}  // namespace

extern const Lowering lowering_rnn = {
    .supports = supports_by<Kernels, choose>,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
    .explain = explain,
};

}  // namespace medulla::cpu
