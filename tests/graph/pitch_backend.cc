// SPDX-License-Identifier: Apache-2.0
#include "tests/graph/pitch_backend.h"

#include <algorithm>
#include <cstring>

#include "src/base/text.h"

namespace medulla::test {
namespace {

enum class Kind { relu, add, add_relu, concat };

struct Plan {
  Kind kind;
  size_t inputs;
};

struct Args {
  const Plan* plan;
  mdl_operand operands[8];  // inputs, then the output
  int64_t columns[8];
};

bool is_op(const mdl_graph* graph, int32_t node, const char* op) {
  return std::strcmp(graph->nodes[node].op, op) == 0;
}

size_t fuse(void*, const mdl_graph* graph, int32_t node, const uint8_t* taken, int32_t* members,
            size_t) {
  members[0] = node;
  if (!is_op(graph, node, "Add")) return 1;
  const mdl_tensor& sum = graph->tensors[graph->nodes[node].outputs[0]];
  if (sum.consumer_count != 1 || sum.flags != 0 || taken[sum.consumer] != 0) return 1;
  if (!is_op(graph, sum.consumer, "Relu")) return 1;
  members[1] = sum.consumer;
  return 2;
}

mdl_status supports(void*, const mdl_graph* graph, const mdl_group* group, mdl_error* error) {
  const mdl_node& node = graph->nodes[group->nodes[0]];
  if (group->input_count > 7) return fail(error, MDL_ERROR_UNSUPPORTED, "too many inputs");
  if (is_op(graph, group->nodes[0], "Relu")) return MDL_OK;
  if (is_op(graph, group->nodes[0], "Add")) {
    const mdl_tensor& y = graph->tensors[node.outputs[0]];
    for (uint32_t i = 0; i < 2; ++i) {
      const mdl_tensor& x = graph->tensors[node.inputs[i]];
      if (x.data != nullptr || x.rank != y.rank || !std::equal(x.dims, x.dims + x.rank, y.dims)) {
        return fail(error, MDL_ERROR_UNSUPPORTED, "inputs of other shapes, or constant");
      }
    }
    return group->input_count == 2 ? MDL_OK : fail(error, MDL_ERROR_UNSUPPORTED, "one input twice");
  }
  if (is_op(graph, group->nodes[0], "Concat")) {
    const mdl_tensor& y = graph->tensors[node.outputs[0]];
    const int64_t axis = node.attributes[0].i;
    if ((axis == -1 || axis + 1 == y.rank) && group->input_count == node.input_count) return MDL_OK;
    return fail(error, MDL_ERROR_UNSUPPORTED, "not along rows");
  }
  return fail(error, MDL_ERROR_UNSUPPORTED, "another operator");
}

mdl_status supports_no_concat(void* instance, const mdl_graph* graph, const mdl_group* group,
                              mdl_error* error) {
  if (is_op(graph, group->nodes[0], "Concat")) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "another operator");
  }
  return supports(instance, graph, group, error);
}

const float* row_of(const Args& args, size_t operand, int64_t r) {
  return static_cast<const float*>(args.operands[operand].data) + r * args.operands[operand].pitch;
}

// The first phase does the even rows, the second the odd ones.
mdl_status run(const void* memory, uint32_t phase, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  const size_t output = args.plan->inputs;
  std::memset(scratch, 0xFF, 256);
  for (int64_t pair = begin; pair < end; ++pair) {
    const int64_t r = 2 * pair + phase;
    float* y = const_cast<float*>(row_of(args, output, r));
    if (args.plan->kind == Kind::concat) {
      for (size_t i = 0; i < output; ++i) {
        std::copy_n(row_of(args, i, r), args.columns[i], y);
        y += args.columns[i];
      }
      continue;
    }
    const float* a = row_of(args, 0, r);
    const float* b = args.plan->kind == Kind::relu ? nullptr : row_of(args, 1, r);
    for (int64_t c = 0; c < args.columns[output]; ++c) {
      const float sum = b != nullptr ? a[c] + b[c] : a[c];
      y[c] = args.plan->kind != Kind::add && sum < 0.0f ? 0.0f : sum;
    }
  }
  return MDL_OK;
}

mdl_status plan_dense(void*, const mdl_graph* graph, const mdl_group* group, const mdl_host* host,
                      mdl_step* step, mdl_error* error) {
  auto* plan = static_cast<Plan*>(host->allocate(host->context, sizeof(Plan), alignof(Plan)));
  if (plan == nullptr) return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory");
  plan->inputs = group->input_count;
  plan->kind = is_op(graph, group->nodes[0], "Relu")     ? Kind::relu
               : is_op(graph, group->nodes[0], "Concat") ? Kind::concat
               : group->node_count == 2                  ? Kind::add_relu
                                                         : Kind::add;
  step->kernel = "pitch";
  step->data = plan;
  step->numerics = MDL_CLASS_EXACT;
  step->phase_count = 2;
  step->run = run;
  step->args_bytes = sizeof(Args);
  step->scratch_bytes = 256;
  step->macs = 1u << 30;
  step->row_grain = 2;
  if (plan->kind != Kind::concat) step->in_place[0] = (1u << plan->inputs) - 1;
  return MDL_OK;
}

mdl_status plan_strided(void* instance, const mdl_graph* graph, const mdl_group* group,
                        const mdl_host* host, mdl_step* step, mdl_error* error) {
  MDL_TRY(plan_dense(instance, graph, group, host, step, error));
  step->strided = 0xFF;
  return MDL_OK;
}

mdl_status resize(void*, const mdl_step* step, const mdl_shape* shapes, void* memory,
                  mdl_rows* rows, mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  args.plan = static_cast<const Plan*>(step->data);
  int64_t count = 1;
  const mdl_shape& y = shapes[args.plan->inputs];
  for (uint32_t d = 0; d + 1 < y.rank; ++d) count *= y.dims[d];
  for (size_t i = 0; i <= args.plan->inputs; ++i) args.columns[i] = shapes[i].dims[y.rank - 1];
  rows->rows[0] = (count + 1) / 2;
  rows->rows[1] = count / 2;
  return MDL_OK;
}

mdl_status bind(void*, const mdl_step* step, const mdl_operand* operands, const void*, void* memory,
                mdl_error*) {
  Args& args = *static_cast<Args*>(memory);
  std::copy_n(operands, static_cast<const Plan*>(step->data)->inputs + 1, args.operands);
  return MDL_OK;
}

mdl_backend make_backend(bool strided, bool concat) {
  mdl_backend backend = {};
  backend.struct_size = sizeof(mdl_backend);
  backend.abi = MDL_BACKEND_ABI;
  backend.name = "pitch";
  backend.version = "1";
  backend.device = "tests";
  backend.fuse = fuse;
  backend.supports = concat ? supports : supports_no_concat;
  backend.plan = strided ? plan_strided : plan_dense;
  backend.resize = resize;
  backend.bind = bind;
  return backend;
}

}  // namespace

const mdl_backend& pitch_backend(bool strided, bool concat) {
  static const mdl_backend backends[2][2] = {
      {make_backend(false, false), make_backend(false, true)},
      {make_backend(true, false), make_backend(true, true)},
  };
  return backends[strided][concat];
}

}  // namespace medulla::test
