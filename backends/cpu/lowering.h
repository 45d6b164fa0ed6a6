// SPDX-License-Identifier: Apache-2.0
// How the CPU backend runs a group of nodes with a kernel family. One file a lowering,
// backends/cpu/<stem>.cc, which defines `const Lowering lowering_<stem>`; lowerings.inc lists them
// with the operators they serve, and the first that takes a group wins.
#ifndef MEDULLA_BACKENDS_CPU_LOWERING_H_
#define MEDULLA_BACKENDS_CPU_LOWERING_H_

#include <span>
#include <string_view>
#include <type_traits>

#include "kernels/row.h"
#include "medulla/backend.h"
#include "src/ops/op.h"

namespace medulla::cpu {

// What an instance knows: the program's options.
struct Cpu {
  IsaSet isa;
  Numerics numerics = Numerics::exact;
  const char* kernels = "";  // forced rows, "family=row,..."
  size_t l1d_bytes = 0;
  size_t l2_bytes = 0;
};

// The row that is forced for a family; empty: none.
std::string_view forced_row(const Cpu& cpu, std::string_view family);

// The part that every family's problem begins with.
inline KernelRequest kernel_request(const Cpu& cpu) { return {cpu.isa, cpu.numerics}; }

// Why no row was chosen, for `supports`.
mdl_status fail_no_row(mdl_error* error, std::string_view family, std::string_view forced);

// The first row of `family` that takes `problem`, or the forced one if it does; `rows` are that
// family's.
template <class Kernel, class Problem>
mdl_status choose_row(const Cpu& cpu, std::string_view family,
                      std::span<const Row<Kernel, Problem>> rows,
                      const std::type_identity_t<Problem>& problem,
                      const Row<Kernel, Problem>** row, mdl_error* error) {
  const std::string_view forced = forced_row(cpu, family);
  *row = select_row(rows, problem, forced);
  return *row != nullptr ? MDL_OK : fail_no_row(error, family, forced);
}

// A group with the graph it stands in.
class GroupView {
 public:
  GroupView(const mdl_graph& graph, const mdl_group& group) : graph_(&graph), group_(&group) {}

  size_t node_count() const { return group_->node_count; }
  NodeView node(size_t i) const { return {*graph_, graph_->nodes[group_->nodes[i]]}; }
  // The step's operand (inputs, then outputs) that is this tensor; -1: it is not one.
  int operand(const mdl_tensor* tensor) const;
  const mdl_graph& graph() const { return *graph_; }
  const mdl_tensor& tensor(int32_t index) const { return graph_->tensors[index]; }
  const mdl_tensor& output() const { return tensor(group_->outputs[0]); }
  size_t operand_count() const { return group_->input_count + group_->output_count; }
  size_t input_count() const { return group_->input_count; }

 private:
  const mdl_graph* graph_;
  const mdl_group* group_;
};

// A constant's values; null without a tensor.
inline const float* floats_of(const mdl_tensor* tensor) {
  return tensor != nullptr ? static_cast<const float*>(tensor->data) : nullptr;
}

// How many rows, counted over all dimensions but the last.
size_t rows_of(const mdl_shape& shape);
// The extent of the last dimension; 1 for a scalar.
size_t columns_of(const mdl_shape& shape);

// How many rows a step has whose rows are units of `unit` of `count` things; the last may be short.
inline int64_t units_of(size_t count, size_t unit) {
  return static_cast<int64_t>((count + unit - 1) / unit);
}

struct Lowering {
  // Extends the group that starts with `node`, as mdl_backend.fuse does; 0: not a start for it.
  // Null: nodes are taken alone.
  size_t (*fuse)(const mdl_graph& graph, int32_t node, const uint8_t* taken, int32_t* members,
                 size_t capacity) = nullptr;
  // As mdl_backend's functions of these names. What `plan` stores in step.data begins with a
  // StepHead.
  mdl_status (*supports)(const Cpu& cpu, const GroupView& group, mdl_error* error);
  mdl_status (*plan)(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                     mdl_error* error);
  void (*pack)(const GroupView& group, const mdl_step& step, void* packed) = nullptr;
  mdl_status (*resize)(const mdl_step& step, const mdl_shape* shapes, void* args, mdl_rows& rows,
                       mdl_error* error);
  void (*bind)(const mdl_step& step, const mdl_operand* operands, const void* packed, void* args);
  void (*explain)(const mdl_step& step, const void* args, mdl_error* error) = nullptr;
};

// A Lowering.supports that asks `read`, which fills in what `plan` goes by.
template <class Reading, mdl_status (*read)(const Cpu&, const GroupView&, Reading*, mdl_error*)>
mdl_status supports_by(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  Reading reading = {};
  return read(cpu, group, &reading, error);
}

// A Lowering.bind for Args whose x and y are a step's only operands.
template <class Args>
void bind_x_y(const mdl_step&, const mdl_operand* operands, const void*, void* memory) {
  Args& args = *static_cast<Args*>(memory);
  args.x = static_cast<decltype(args.x)>(operands[0].data);
  args.y = static_cast<decltype(args.y)>(operands[1].data);
}

struct StepHead {
  const Lowering* lowering;
};

// A step's plan of type T, which has a StepHead as its first member `head`; null when there is no
// memory.
template <class T>
T* make_step_data(const mdl_host& host, const Lowering& lowering, mdl_step& step) {
  T* data = static_cast<T*>(host.allocate(host.context, sizeof(T), alignof(T)));
  if (data != nullptr) data->head.lowering = &lowering;
  step.data = data;
  return data;
}

mdl_status fail_memory(mdl_error* error, const NodeView& node);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_LOWERING_H_
