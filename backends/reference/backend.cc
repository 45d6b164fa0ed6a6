// SPDX-License-Identifier: Apache-2.0
// The reference backend: every node alone, by the operator's own reference.
#include <cstring>
#include <new>

#include "src/ops/op.h"

namespace medulla {
namespace {

constexpr size_t kMaxArguments = 512;  // inputs and outputs of a node

// A step's plan; the operand of each of the node's inputs, then outputs, follows it: -1 for what is
// constant or left out.
struct Plan {
  const Op* op;
  const mdl_graph* graph;
  const mdl_node* node;
  size_t input_operands;  // of the group
  bool finds;             // finds_extents

  int32_t* operands() { return reinterpret_cast<int32_t*>(this + 1); }
  const int32_t* operands() const { return reinterpret_cast<const int32_t*>(this + 1); }
};

// A step's arguments; types, then pointers, of all inputs and outputs follow it, and, when the
// node finds extents, what the outputs' shapes came out as.
struct Args {
  const Plan* plan;
  size_t count;
  mdl_error error;  // of the last run; one thread at a time does a step's only row

  TensorType* types() { return reinterpret_cast<TensorType*>(this + 1); }
  void** pointers() { return reinterpret_cast<void**>(types() + count); }
  mdl_shape* found() { return reinterpret_cast<mdl_shape*>(pointers() + count); }
};

size_t argument_count(const mdl_node& node) { return node.input_count + node.output_count; }

int32_t argument(const mdl_node& node, size_t i) {
  return i < node.input_count ? node.inputs[i] : node.outputs[i - node.input_count];
}

TensorType argument_type(const mdl_graph& graph, const mdl_node& node, size_t i) {
  const int32_t tensor = argument(node, i);
  return max_type(tensor < 0 ? nullptr : &graph.tensors[tensor]);
}

mdl_status supports(void*, const mdl_graph* graph, const mdl_group* group, mdl_error* error) {
  if (group->node_count != 1) return fail(error, MDL_ERROR_UNSUPPORTED, "takes single nodes only");
  const Op* op = find_op(graph->nodes[group->nodes[0]].op);
  if (op == nullptr || op->reference == nullptr) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "the operator is not built in");
  }
  if (argument_count(graph->nodes[group->nodes[0]]) > kMaxArguments) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "more than ", kMaxArguments, " arguments");
  }
  return MDL_OK;
}

int32_t find_operand(const mdl_group& group, int32_t tensor) {
  for (size_t i = 0; i < group.input_count; ++i) {
    if (group.inputs[i] == tensor) return static_cast<int32_t>(i);
  }
  for (size_t o = 0; o < group.output_count; ++o) {
    if (group.outputs[o] == tensor) return static_cast<int32_t>(group.input_count + o);
  }
  return -1;
}

mdl_status run(const void* memory, uint32_t, int64_t, int64_t, void* scratch) {
  Args& args = *static_cast<Args*>(const_cast<void*>(memory));
  const mdl_node& node = *args.plan->node;
  const TensorType* types = args.types();
  void* const* pointers = args.pointers();
  std::span<mdl_shape> found;
  if (args.plan->finds) {
    found = {args.found(), node.output_count};
    for (size_t o = 0; o < found.size(); ++o) found[o] = types[node.input_count + o].shape;
  }
  const ReferenceCall call = {
      .node = NodeView(*args.plan->graph, node),
      .input_types = {types, node.input_count},
      .output_types = {types + node.input_count, node.output_count},
      .inputs = {const_cast<const void* const*>(pointers), node.input_count},
      .outputs = {pointers + node.input_count, node.output_count},
      .scratch = scratch,
      .found = found,
  };
  return args.plan->op->reference(call, &args.error);
}

// What the reference said, without the node's name, which the core puts there.
void explain(void*, const mdl_step*, const void* memory, mdl_error* error) {
  const Args& args = *static_cast<const Args*>(memory);
  mdl_error name = MDL_ERROR_INIT;
  fail_node(&name, args.error.status, NodeView(*args.plan->graph, *args.plan->node));
  const size_t length = std::strlen(name.text);
  const bool named = std::strncmp(args.error.text, name.text, length) == 0;
  fail(error, args.error.status, args.error.text + (named ? length : 0));
}

void found(const void* memory, mdl_shape* shapes) {
  Args& args = *static_cast<Args*>(const_cast<void*>(memory));
  const Plan& plan = *args.plan;
  for (size_t o = 0; o < plan.node->output_count; ++o) {
    const int32_t operand = plan.operands()[plan.node->input_count + o];
    if (operand >= 0) shapes[static_cast<size_t>(operand) - plan.input_operands] = args.found()[o];
  }
}

mdl_status plan(void*, const mdl_graph* graph, const mdl_group* group, const mdl_host* host,
                mdl_step* step, mdl_error* error) {
  const mdl_node& node = graph->nodes[group->nodes[0]];
  const NodeView view(*graph, node);
  const size_t count = argument_count(node);
  void* memory =
      host->allocate(host->context, sizeof(Plan) + count * sizeof(int32_t), alignof(Plan));
  if (memory == nullptr) {
    return fail_node(error, MDL_ERROR_OUT_OF_MEMORY, view, "no memory for the step's plan");
  }
  Plan* step_plan =
      new (memory) Plan{find_op(node.op), graph, &node, group->input_count, finds_extents(view)};
  const Op& op = *step_plan->op;
  TensorType types[kMaxArguments];
  for (size_t i = 0; i < count; ++i) types[i] = argument_type(*graph, node, i);
  const std::span<const TensorType> inputs(types, node.input_count);
  const std::span<const TensorType> outputs(types + node.input_count, node.output_count);
  step->scratch_bytes = op.scratch != nullptr ? op.scratch(view, inputs, outputs) : 0;
  step->macs = op.macs != nullptr ? op.macs(view, inputs, outputs) : 0;

  for (size_t i = 0; i < count; ++i) {
    const int32_t tensor = argument(node, i);
    const int32_t operand = tensor >= 0 ? find_operand(*group, tensor) : -1;
    step_plan->operands()[i] = operand;
    const bool is_input = i < node.input_count && i < 32 && operand >= 0 && operand < 32;
    if (is_input && (op.in_place >> i & 1) != 0 && group->output_count > 0 &&
        group->outputs[0] == node.outputs[0]) {
      step->in_place[0] |= 1u << operand;
    }
  }
  step->kernel = "reference";
  step->data = step_plan;
  step->numerics = MDL_CLASS_EXACT;
  step->phase_count = 1;
  step->run = run;
  step->args_bytes = sizeof(Args) + count * (sizeof(TensorType) + sizeof(void*));
  if (step_plan->finds) {
    step->args_bytes += node.output_count * sizeof(mdl_shape);
    step->found = found;
  }
  return MDL_OK;
}

mdl_status resize(void*, const mdl_step* step, const mdl_shape* shapes, void* memory,
                  mdl_rows* rows, mdl_error*) {
  const Plan* plan = static_cast<const Plan*>(step->data);
  Args& args = *new (memory) Args{plan, argument_count(*plan->node), MDL_ERROR_INIT};
  for (size_t i = 0; i < args.count; ++i) {
    args.types()[i] = argument_type(*plan->graph, *plan->node, i);
    const int32_t operand = plan->operands()[i];
    if (operand >= 0) args.types()[i].shape = shapes[operand];
  }
  rows->rows[0] = 1;
  return MDL_OK;
}

mdl_status bind(void*, const mdl_step* step, const mdl_operand* operands, const void*, void* memory,
                mdl_error*) {
  const Plan* plan = static_cast<const Plan*>(step->data);
  Args& args = *static_cast<Args*>(memory);
  for (size_t i = 0; i < args.count; ++i) {
    const int32_t tensor = argument(*plan->node, i);
    const int32_t operand = plan->operands()[i];
    void* constant = tensor >= 0 ? const_cast<void*>(plan->graph->tensors[tensor].data) : nullptr;
    args.pointers()[i] = operand >= 0 ? operands[operand].data : constant;
  }
  return MDL_OK;
}

}  // namespace
}  // namespace medulla

extern "C" const mdl_backend mdl_backend_reference = {
    .struct_size = sizeof(mdl_backend),
    .abi = MDL_BACKEND_ABI,
    .numerics = MDL_CLASS_EXACT,
    .name = "reference",
    .version = "1",
    .device = "any CPU",
    .open = nullptr,
    .close = nullptr,
    .fuse = nullptr,
    .supports = medulla::supports,
    .plan = medulla::plan,
    .pack = nullptr,
    .check_packed = nullptr,
    .resize = medulla::resize,
    .bind = medulla::bind,
    .submit = nullptr,
    .wait = nullptr,
    .allocate_shared = nullptr,
    .release_shared = nullptr,
    .device_status = nullptr,
    .explain = medulla::explain,
};
