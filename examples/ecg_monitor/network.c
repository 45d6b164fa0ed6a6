// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 199309L
#include "network.h"

#include <stdio.h>
#include <time.h>

mdl_status network_open(network* n, const char* path, mdl_error* error) {
  mdl_status status = mdl_model_open(path, NULL, &n->model, error);
  if (status == MDL_OK) status = mdl_program_create(n->model, NULL, &n->program, error);
  if (status == MDL_OK) status = mdl_session_create(n->program, NULL, &n->session, error);
  return status;
}

void network_close(network* n) {
  mdl_session_destroy(n->session);
  mdl_program_destroy(n->program);
  mdl_model_close(n->model);
}

// Nanoseconds of a clock that never goes back.
static uint64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

mdl_status network_run(mdl_session* session, const float* input, size_t count, size_t output,
                       float* answer, size_t answers, uint64_t* nanoseconds, mdl_error* error) {
  const uint64_t start = clock_now();
  mdl_status status = mdl_session_set_input(session, 0, input, count, error);
  if (status != MDL_OK) return status;
  status = mdl_session_run(session);
  if (status != MDL_OK) {  // the session keeps the text of a run
    error->status = status;
    snprintf(error->text, sizeof(error->text), "%s", mdl_session_error(session));
    return status;
  }
  status = mdl_session_get_output(session, output, answer, answers, error);
  *nanoseconds = clock_now() - start;
  return status;
}
