/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest useful backend: Relu of float32, in C, from a shared object of its own. */
#include <string.h>

#include "medulla/backend.h"

typedef struct Args {
  const float* x;
  float* y;
  int64_t columns, x_pitch, y_pitch;
} Args;

static mdl_status refuse(mdl_error* error, const char* why) {
  error->status = MDL_ERROR_UNSUPPORTED;
  strncpy(error->text, why, sizeof(error->text) - 1);
  return MDL_ERROR_UNSUPPORTED;
}

static mdl_status supports(void* instance, const mdl_graph* graph, const mdl_group* group,
                           mdl_error* error) {
  const mdl_node* node = &graph->nodes[group->nodes[0]];
  (void)instance;
  if (strcmp(node->op, "Relu") != 0) return refuse(error, "it takes Relu only");
  if (graph->tensors[node->inputs[0]].dtype != MDL_FLOAT32) {
    return refuse(error, "it takes float32 only");
  }
  if (graph->tensors[node->inputs[0]].data != NULL) return refuse(error, "its input is constant");
  return MDL_OK;
}

static mdl_status run(const void* memory, uint32_t phase, int64_t begin, int64_t end,
                      void* scratch) {
  const Args* args = memory;
  int64_t r, c;
  (void)phase;
  (void)scratch;
  for (r = begin; r < end; ++r) {
    const float* x = args->x + r * args->x_pitch;
    float* y = args->y + r * args->y_pitch;
    for (c = 0; c < args->columns; ++c) y[c] = x[c] < 0.0f ? 0.0f : x[c];
  }
  return MDL_OK;
}

static mdl_status plan(void* instance, const mdl_graph* graph, const mdl_group* group,
                       const mdl_host* host, mdl_step* step, mdl_error* error) {
  (void)instance;
  (void)graph;
  (void)group;
  (void)host;
  (void)error;
  step->kernel = "example_relu";
  step->numerics = MDL_CLASS_EXACT;
  step->phase_count = 1;
  step->run = run;
  step->args_bytes = sizeof(Args);
  step->strided = 3;
  step->in_place[0] = 1;
  return MDL_OK;
}

static mdl_status resize(void* instance, const mdl_step* step, const mdl_shape* shapes, void* args,
                         mdl_rows* rows, mdl_error* error) {
  const mdl_shape* shape = &shapes[0];
  uint32_t d;
  (void)instance;
  (void)step;
  (void)error;
  rows->rows[0] = 1;
  for (d = 0; d + 1 < shape->rank; ++d) rows->rows[0] *= shape->dims[d];
  ((Args*)args)->columns = shape->rank > 0 ? shape->dims[shape->rank - 1] : 1;
  return MDL_OK;
}

static mdl_status bind(void* instance, const mdl_step* step, const mdl_operand* operands,
                       const void* packed, void* memory, mdl_error* error) {
  Args* args = memory;
  (void)instance;
  (void)step;
  (void)packed;
  (void)error;
  args->x = operands[0].data;
  args->x_pitch = operands[0].pitch;
  args->y = operands[1].data;
  args->y_pitch = operands[1].pitch;
  return MDL_OK;
}

static const mdl_backend backend = {
    .struct_size = sizeof(mdl_backend),
    .abi = MDL_BACKEND_ABI,
    .numerics = MDL_CLASS_EXACT,
    .name = "example",
    .version = "1",
    .device = "any CPU",
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

MDL_API const mdl_backend* mdl_backend_entry(uint32_t abi);

const mdl_backend* mdl_backend_entry(uint32_t abi) {
  return abi == MDL_BACKEND_ABI ? &backend : NULL;
}
