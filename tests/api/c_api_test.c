/* SPDX-License-Identifier: Apache-2.0 */
/* The API as a C99 program uses it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "medulla/backend.h"

#define CHECK(condition)               \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (0)

static int count_steps(void* context, const mdl_step_profile* step) {
  ++*(size_t*)context;
  return step->name != NULL && step->kernel != NULL;
}

int c_api_test(const void* data, size_t size);

/* The model: y = Relu(x + h), h' = x + h; x is [2,3] with a dynamic batch. Returns the line of the
 * first check that failed, 0 when all passed. */
int c_api_test(const void* data, size_t size) {
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = NULL;
  mdl_program* program = NULL;
  mdl_session* session = NULL;
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  mdl_program_options program_options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  const float x[6] = {-1.0f, 2.0f, -3.0f, 4.0f, -5.0f, 6.0f};
  float y[6];
  void* input = NULL;
  const void* output = NULL;
  size_t bytes = 0, index = 7, steps = 0, i;
  char* text;

  CHECK(mdl_version() ==
        MDL_VERSION_MAJOR * 1000000 + MDL_VERSION_MINOR * 1000 + MDL_VERSION_PATCH);
  CHECK(strstr(mdl_build_info(), "reference") != NULL);
  CHECK(strcmp(mdl_status_name(MDL_ERROR_SHAPE), "MDL_ERROR_SHAPE") == 0);

  CHECK(mdl_model_open_memory(data, size, NULL, &model, &error) == MDL_OK);
  CHECK(mdl_model_input_count(model) == 1 && mdl_model_output_count(model) == 1);
  CHECK(mdl_model_input(model, 0, &info, &error) == MDL_OK);
  CHECK(strcmp(info.name, "x") == 0 && info.dtype == MDL_FLOAT32 && info.rank == 2);
  CHECK(mdl_model_input(model, 1, &info, &error) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_model_find_output(model, "y", &index, &error) == MDL_OK && index == 0);
  CHECK(mdl_model_find_output(model, "z", &index, &error) == MDL_ERROR_NOT_FOUND);

  CHECK(mdl_program_memory_need(model, &program_options, &need, &error) == MDL_OK);
  CHECK(need.program_bytes > 0 && need.session_bytes > 0 && need.stack_bytes > 0);
  CHECK(need.arena_bytes >= need.arena_bound_bytes);
  CHECK(mdl_program_create(model, &program_options, &program, &error) == MDL_OK);
  CHECK(mdl_program_plan(program, MDL_PLAN_TEXT, NULL, 0, &bytes, &error) == MDL_OK);
  text = malloc(bytes);
  CHECK(text != NULL);
  CHECK(mdl_program_plan(program, MDL_PLAN_TEXT, text, bytes, &bytes, &error) == MDL_OK);
  CHECK(strlen(text) == bytes - 1);
  free(text);

  session_options.profile = 1;
  CHECK(mdl_session_create(program, &session_options, &session, &error) == MDL_OK);
  CHECK(mdl_session_input(session, 0, &input, &bytes, &error) == MDL_OK && bytes == sizeof(x));
  memcpy(input, x, sizeof(x));
  CHECK(mdl_session_run(session) == MDL_OK);
  CHECK(mdl_session_error(session)[0] == 0);
  CHECK(mdl_session_output(session, 0, &output, &bytes, &error) == MDL_OK && bytes == sizeof(y));
  memcpy(y, output, sizeof(y));
  for (i = 0; i < 6; ++i) CHECK(y[i] == (x[i] < 0.0f ? 0.0f : x[i]));
  CHECK(mdl_session_run(session) == MDL_OK);
  CHECK(mdl_session_get_output(session, 0, y, 6, &error) == MDL_OK);
  for (i = 0; i < 6; ++i) CHECK(y[i] == (x[i] < 0.0f ? 0.0f : 2.0f * x[i]));
  CHECK(mdl_session_get_output(session, 0, y, 5, &error) == MDL_ERROR_SHAPE);
  CHECK(error.status == MDL_ERROR_SHAPE && strstr(error.text, "6") != NULL);
  CHECK(mdl_session_profile(session, count_steps, &steps, &error) == MDL_OK);
  CHECK(steps == mdl_program_step_count(program));
  CHECK(mdl_session_reset(session, &error) == MDL_OK);
  {
    const int64_t one[2] = {1, 3};
    const int64_t* dims[1];
    int64_t shape[MDL_MAX_RANK];
    uint32_t rank = 0;
    dims[0] = one;
    CHECK(mdl_session_resize(session, dims, 1, &error) == MDL_OK);
    CHECK(mdl_session_output_shape(session, 0, shape, &rank, &error) == MDL_OK);
    CHECK(rank == 2 && shape[0] == 1 && shape[1] == 3);
    CHECK(mdl_session_set_input(session, 0, x, 3, &error) == MDL_OK);
    CHECK(mdl_session_run(session) == MDL_OK);
    CHECK(mdl_session_get_output(session, 0, y, 3, &error) == MDL_OK);
    CHECK(y[0] == 0.0f && y[1] == 2.0f && y[2] == 0.0f);
  }
  mdl_session_cancel(session);
  CHECK(mdl_session_run(session) == MDL_ERROR_CANCELLED);

  /* Every function takes null for what it needs. */
  CHECK(mdl_program_create(NULL, NULL, &program, &error) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_session_create(NULL, NULL, &session, NULL) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_session_run(NULL) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_session_input(NULL, 0, &input, &bytes, &error) == MDL_ERROR_INVALID_ARGUMENT);
  mdl_session_destroy(NULL);
  mdl_program_destroy(NULL);
  mdl_model_close(NULL);

  mdl_session_destroy(session);
  mdl_program_destroy(program);
  mdl_model_close(model);
  return 0;
}
